import t from 'tap'
import { chooseCall, decideToggle, toggleBounceMs } from '../../src/domain/phone-keys.ts'
import type { Call } from '../../src/domain/call.ts'
import { createLab } from '../support/lab.ts'
import { phaseNames } from '../support/recording-table.ts'
import { anna, ben } from '../support/rules.ts'

t.test('a toggle does the opposite of what is', async t => {
  t.same(Object.fromEntries(phaseNames.map(phase => [phase, decideToggle(phase, undefined, 10_000)])), {
    off: 'resume',
    starting: 'pause',
    recording: 'pause',
    pausing: 'pause',
    paused: 'resume',
    resuming: 'pause',
    unconfirmed: 'unconfirmed',
    ending: 'nothing',
    ended: 'nothing',
  })
})

t.test('a toggle pressed again in haste never lifts a pause', async t => {
  for (const phase of ['off', 'paused'] as const) {
    t.equal(decideToggle(phase, 10_000, 10_000 + toggleBounceMs - 1), 'nothing')
    t.equal(decideToggle(phase, 10_000, 10_000 + toggleBounceMs), 'resume')
  }
})

t.test('a toggle pressed again in haste may still pause', async t => {
  t.equal(decideToggle('recording', 10_000, 10_100), 'pause')
})

async function createCall (callId: string, change: Partial<Call> = {}, isOnHold = false): Promise<Call> {
  const { call } = await createLab().answerCall()
  return { ...call, callId, participants: call.participants.map(participant => ({ ...participant, isOnHold })), ...change }
}

t.test('a phone means the call it names, else the only one, else the only one that is not on hold', async t => {
  const one = await createCall('one', { sipCallIds: ['sip-1'] })
  const two = await createCall('two', { sipCallIds: ['sip-2'] })
  const held = await createCall('held', { sipCallIds: ['sip-3'] }, true)
  const choose = (calls: Call[], sipCallId?: string) => {
    const choice = chooseCall(calls, anna, sipCallId)
    return typeof choice === 'string' ? choice : choice.callId
  }
  t.equal(choose([one]), 'one')
  t.equal(choose([one, two]), 'several')
  t.equal(choose([one, two], 'sip-2'), 'two')
  t.equal(choose([one, held]), 'one')
  t.equal(choose([one, held], 'sip-3'), 'held')
  t.equal(choose([one], 'sip-9'), 'none')
  t.equal(choose([]), 'none')
})

t.test('a call of others, one that has ended and one that only rang are not meant', async t => {
  const call = await createCall('one')
  t.equal(chooseCall([call], ben, undefined), 'none')
  t.equal(chooseCall([{ ...call, endedAtMs: 1 }], anna, undefined), 'none')
  t.equal(chooseCall([{ ...call, participants: call.participants.map(participant => ({ ...participant, joinedAtMs: null })) }], anna, undefined), 'none')
  t.equal(chooseCall([{ ...call, participants: call.participants.map(participant => ({ ...participant, leftAtMs: 1 })) }], anna, undefined), 'none')
})
