import t, { type Test } from 'tap'
import { openOffice } from '../support/office.ts'
import { startTacet } from '../support/tacet.ts'
import { createChance } from './cycles.ts'
import { edgesOf, judgeEdges, type Edges } from './edges.ts'
import { startMetronome } from './metronome.ts'
import { playRound, type JudgedCall } from './round.ts'
import { watchSpool } from './spool.ts'

const packetMs = 20
const edgeMs = 60
const joinMs = 40
const seed = Number(process.env.LEAK_SEED ?? Date.now() % 1_000_000)

t.setTimeout(300_000)
const chance = createChance(seed)
const tacet = await startTacet(t, { env: { RESUME_GUARD_MS: '0', LEASE_TTL_MS: '10000' } })
const office = await openOffice(t, tacet)
const spool = await watchSpool(t, tacet.stack)
const metronome = await startMetronome(t)
const round = { calls: 4, cyclesPerCall: 10, chance, spool }
/** Of so many in each call there is one for each of the two who speak. */
const ends = (perCall: number): number => 2 * round.calls * perCall

t.test(`without the guard no more than a packet leaks, little is lost at the edges, and the joins are where the timeline says (LEAK_SEED=${seed})`, async t => {
  const edges = edgesIn(await playRound(t, office, round))
  const pauses = ends(round.cyclesPerCall + 1)
  const resumes = ends(round.cyclesPerCall)
  check(t, 'leaked of a pause', edges.leaks, packetMs, pauses)
  check(t, 'lost at a pause', edges.lostAtPause, edgeMs, pauses)
  check(t, 'lost at a resume', edges.lostAtResume, edgeMs, resumes)
  check(t, 'lost after the answer to a resume', edges.lostAfterResume, 2 * packetMs, resumes)
  check(t, 'from a segment\'s first sample to its start in the timeline', edges.starts, joinMs, pauses)
  // Its end is when it was proven closed; the last 46 ms before a stop may be lost (measured on Asterisk 22.10).
  check(t, 'from a segment\'s last sample to its end in the timeline', edges.ends, edgeMs, pauses)
})

t.test(`nor does more leak when the network stalls (LEAK_SEED=${seed})`, async t => {
  check(t, 'leaked of a pause with a stall', edgesIn(await playRound(t, office, { ...round, hasStalls: true })).leaks, packetMs, ends(round.cyclesPerCall + 1))
})

function edgesIn (judged: JudgedCall[]): Edges {
  const all = judged.map(call => edgesOf(call, metronome))
  return Object.fromEntries(Object.keys(all[0]!).map(key => [key, all.flatMap(edges => edges[key as keyof Edges])])) as unknown as Edges
}

/** Half of them are within the limit whatever happens; each of the others exceeds it by no more than the machine was late just then, or than it took to store the command. */
function check (t: Test, what: string, edges: Edges[keyof Edges], limitMs: number, count: number): void {
  const { medianMs, mostMs, late, inexcusable, unexplained, isTooOften } = judgeEdges(edges, limitMs)
  t.equal(edges.length, count, `${what}: each voice in each segment was measured`)
  t.same(edges.filter(({ ms, delayedMs, storingMs }) => !Number.isFinite(ms + delayedMs + storingMs)), [], `${what}: by a number`)
  t.pass(`figures: ${what}: median ${medianMs.toFixed(1)} ms, most ${mostMs.toFixed(1)} ms, ${late.length} of ${edges.length} more than ${limitMs} ms`)
  t.ok(medianMs <= limitMs, `${what}: the median is at most ${limitMs} ms`)
  t.same(inexcusable, [], `${what}: each is at most ${limitMs} ms, but for what was late on this machine`)
  t.notOk(isTooOften, `${what}: few are more than that without a reason that was seen`, { unexplained })
}
