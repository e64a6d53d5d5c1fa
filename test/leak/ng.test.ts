import t from 'tap'
import { openOffice } from '../support/office.ts'
import { startTacet } from '../support/tacet.ts'
import { createChance } from './cycles.ts'
import type { JudgedCall } from './round.ts'
import { startMetronome } from './metronome.ts'
import { playRound } from './round.ts'
import { watchSpool } from './spool.ts'

const seed = Number(process.env.LEAK_SEED ?? Date.now() % 1_000_000)
t.setTimeout(170_000)
t.comment(`LEAK_SEED=${seed}`)
const chance = createChance(seed)
const tacet = await startTacet(t, { env: { RESUME_GUARD_MS: '0', LEASE_TTL_MS: '10000' } })
const office = await openOffice(t, tacet)
const metronome = await startMetronome(t)
const spool = await watchSpool(t, tacet.stack)

const packetMs = 20
const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN

/** How much of each voice is lost at each press. */
function edgesOf ({ segments, cycles }: JudgedCall): { atPause: number[], atResume: number[] } {
  const pressed = segments.map(segment => ({ ...segment, resumed: cycles[segment.number - 2]?.resumed, paused: cycles[segment.number - 1]?.paused }))
  return {
    atPause: pressed.flatMap(({ spans, paused }) => paused ? spans.map(({ heardToMs }) => [paused.requestedAtMs - heardToMs, metronome.delayAround(paused.requestedAtMs, 100)]) : []),
    atResume: pressed.flatMap(({ spans, resumed }) => resumed ? spans.map(({ heardFromMs }) => [heardFromMs - resumed.requestedAtMs,metronome.delayAround(resumed.requestedAtMs, 100)]) : []),
  }
}

t.test('without the guard no more than a packet leaks, little is lost at the edges, and the joins are where the timeline says', async t => {
  const judged = await playRound(t, office, { calls: 4, cyclesPerCall: 10, chance, spool })
  for (const { talk, segments } of judged) t.same(segments.filter(({ worstLeakMs }) => worstLeakMs > packetMs), [], `at most a packet of a pause of ${talk.callId} is in a segment`)
  t.comment(`most that leaked: ${Math.max(...judged.flatMap(({ segments }) => segments.map(({ worstLeakMs }) => worstLeakMs)))} ms`)

  const edges = judged.map(edgesOf)
  for (const edge of ['atPause', 'atResume'] as const) {
    const lost = edges.flatMap(call => call[edge])
    t.comment(`${edge}: ${lost.map(x => x.map(y=>y.toFixed(0)).join('_')).join(' ')}`)
    t.comment(`lost ${edge}: median ${median(lost).toFixed(1)} ms, most ${Math.max(...lost).toFixed(1)} ms, of ${lost.length}`)
  }
  for (const { segments, timeline } of judged) {
    const joins = segments.flatMap(({ number, spans }) => {
      const { startedAt, endedAt } = timeline.segments.find(segment => segment.number === number)!
      return spans.map(({ startedAtMs, endedAtMs }) => [(Date.parse(startedAt) - startedAtMs).toFixed(0), (Date.parse(endedAt) - endedAtMs).toFixed(0)].join('/'))
    })
    t.comment(joins.join(' '))
  }
})

t.test('nor does more leak when the network stalls', async t => {
  const judged = await playRound(t, office, { calls: 4, cyclesPerCall: 10, hasStalls: true, chance, spool })
  for (const { talk, segments } of judged) t.same(segments.filter(({ worstLeakMs }) => worstLeakMs > packetMs), [], `at most a packet of a pause of ${talk.callId} is in a segment`)
  t.comment(`most that leaked: ${Math.max(...judged.flatMap(({ segments }) => segments.map(({ worstLeakMs }) => worstLeakMs)))} ms`)
})
