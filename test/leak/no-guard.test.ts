import t, { type Test } from 'tap'
import { openOffice } from '../support/office.ts'
import { startTacet } from '../support/tacet.ts'
import { createChance } from './cycles.ts'
import { startMetronome } from './metronome.ts'
import { playRound, type JudgedCall } from './round.ts'
import { watchSpool } from './spool.ts'

const packetMs = 20
const edgeMs = 60
const joinMs = 40
const seed = Number(process.env.LEAK_SEED ?? Date.now() % 1_000_000)

t.setTimeout(170_000)
t.comment(`LEAK_SEED=${seed}`)
const chance = createChance(seed)
const tacet = await startTacet(t, { env: { RESUME_GUARD_MS: '0', LEASE_TTL_MS: '10000' } })
const office = await openOffice(t, tacet)
const spool = await watchSpool(t, tacet.stack)
const metronome = await startMetronome(t)

t.test('without the guard no more than a packet leaks, little is lost at the edges, and the joins are where the timeline says', async t => {
  metronome.takeWorstDelay()
  const judged = await playRound(t, office, { calls: 4, cyclesPerCall: 10, chance, spool })
  const delayMs = metronome.takeWorstDelay()
  t.comment(`the machine kept processes waiting for up to ${delayMs.toFixed(1)} ms`)
  checkLeaks(t, judged)

  /** A busy machine may keep Asterisk waiting, and then us. */
  const check = (limitMs: number, what: string, values: number[]): void => {
    const sorted = values.toSorted((a, b) => a - b)
    const [least, median, most] = [sorted[0], sorted[Math.floor(sorted.length / 2)], sorted.at(-1)].map(value => `${value?.toFixed(1)} ms`)
    t.comment(`${what}: least ${least}, median ${median}, most ${most}, of ${sorted.length}`)
    t.same(values.filter(value => Math.abs(value) > limitMs + 2 * delayMs), [], `${what} is at most ${limitMs} ms`)
  }
  check(edgeMs, 'lost at a pause', judged.flatMap(lostAtPauses))
  check(edgeMs, 'lost at a resume', judged.flatMap(lostAtResumes))
  const joins = judged.flatMap(joinsOf)
  check(joinMs, 'from the wall clock of a segment\'s first sample to its start in the timeline', joins.map(({ startMs }) => startMs))
  check(edgeMs, 'from the wall clock of a segment\'s last sample to its end in the timeline', joins.map(({ endMs }) => endMs))
})

t.test('nor does more leak when the network stalls', async t => {
  checkLeaks(t, await playRound(t, office, { calls: 4, cyclesPerCall: 10, hasStalls: true, chance, spool }))
})

/** A packet may be on its way inside Asterisk. */
function checkLeaks (t: Test, judged: JudgedCall[]): void {
  for (const { talk, segments } of judged) t.same(segments.flatMap(({ leaks }) => leaks).filter(({ ms }) => ms > packetMs), [], `at most a packet of a pause of ${talk.callId} is in a segment`)
  t.comment(`most that leaked of a pause: ${Math.max(0, ...judged.flatMap(({ segments }) => segments.flatMap(({ leaks }) => leaks.map(({ ms }) => ms))))} ms`)
}

/** What each voice said before the request and is not there. */
const lostAtPauses = ({ segments, cycles }: JudgedCall): number[] =>
  segments.flatMap(({ number, spans }) => spans.map(({ heardToMs }) => Math.max(0, cycles[number - 1]!.paused.requestedAtMs - heardToMs)))

/** What each voice said after the request and is not there. */
const lostAtResumes = ({ segments, cycles }: JudgedCall): number[] =>
  segments.slice(1).flatMap(({ number, spans }) => spans.map(({ heardFromMs }) => Math.max(0, heardFromMs - cycles[number - 2]!.resumed!.requestedAtMs)))

function joinsOf ({ segments, timeline }: JudgedCall): { startMs: number, endMs: number }[] {
  return segments.flatMap(({ number, spans }) => {
    const { startedAt, endedAt } = timeline.segments.find(segment => segment.number === number)!
    return spans.map(({ startedAtMs, endedAtMs }) => ({ startMs: Date.parse(startedAt) - startedAtMs, endMs: Date.parse(endedAt) - endedAtMs }))
  })
}
