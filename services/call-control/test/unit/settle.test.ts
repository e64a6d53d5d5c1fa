import t from 'tap'
import type { PhaseName } from '../../src/domain/recording.ts'
import { newCall } from '../../src/domain/call.ts'
import { settle, type Wish } from '../../src/usecases/settle.ts'
import { isProblem } from '@tacet/contracts'
import { paths, phaseNames, play } from '../support/recording-table.ts'
import { companyId } from '../support/rules.ts'

const view = { companyId, direction: 'inbound', number: null, customer: null, agents: [], legIds: [], recordedLegId: null, isWideband: false, isRinging: true, isAnswered: true, sipCallIds: [], startedAtMs: 0, agentSinceMs: 0 } as const
const callIn = (phase: PhaseName, endedAtMs: number | null = null) => ({ ...newCall('c', 'demo', '1', { ...view, agents: [], legIds: [], sipCallIds: [] }, 0), recording: play(paths[phase]), endedAtMs })

function verdictOf (wish: Wish, phase: PhaseName, trigger: string): string {
  const verdict = settle(wish, callIn(phase), trigger)
  return isProblem(verdict) ? verdict.code : verdict
}

/** By state: what becomes of a pause; of a resume when asked; when its start could not be stored; when the recorder failed; when a pause came in. */
const table: Record<PhaseName, [pause: string, asked: string, notStored: string, failed: string, stopped: string]> = {
  off: ['granted', 'recorder-failed', 'storage-unavailable', 'recorder-failed', 'superseded-by-pause'],
  starting: ['pending', 'pending', 'pending', 'pending', 'pending'],
  recording: ['pending', 'granted', 'granted', 'granted', 'granted'],
  pausing: ['pending', 'superseded-by-pause', 'superseded-by-pause', 'superseded-by-pause', 'superseded-by-pause'],
  paused: ['granted', 'still-paused', 'storage-unavailable', 'recorder-failed', 'superseded-by-pause'],
  resuming: ['pending', 'pending', 'pending', 'pending', 'pending'],
  unconfirmed: ['pause-unconfirmed', 'pause-unconfirmed', 'pause-unconfirmed', 'pause-unconfirmed', 'pause-unconfirmed'],
  ending: ['recording-ended', 'recording-ended', 'recording-ended', 'recording-ended', 'recording-ended'],
  ended: ['recording-ended', 'recording-ended', 'recording-ended', 'recording-ended', 'recording-ended'],
}

for (const phase of phaseNames) {
  t.test(`a command in ${phase} is settled as the table says`, async t => {
    const verdicts = [verdictOf('pause', phase, 'asked'), ...['asked', 'not-stored', 'recorder-failed', 'recorder-stopped'].map(trigger => verdictOf('resume', phase, trigger))]
    t.same(verdicts, table[phase])
  })
}

t.test('a pause is granted only where no recorder can be running', async t => {
  t.same(phaseNames.filter(phase => table[phase][0] === 'granted'), ['off', 'paused'])
})

t.test('once the call itself has ended, the answer says that', async t => {
  t.match(settle('pause', callIn('ended', 5000), 'asked'), { code: 'call-ended' })
  t.match(settle('resume', callIn('ending', 5000), 'asked'), { code: 'call-ended' })
})

t.test('what keeps it paused is named', async t => {
  t.match(settle('resume', callIn('paused'), 'asked'), { code: 'still-paused', extra: { reasons: ['agent'] } })
})
