import t, { type Test } from 'tap'
import { openOffice } from '../support/office.ts'
import { startTacet } from '../support/tacet.ts'
import { createChance } from './cycles.ts'
import { playRound, type JudgedCall } from './round.ts'
import { watchSpool } from './spool.ts'
import { createTally, lostPackets, seenStalls } from './tally.ts'

/** `npm run soak` asks for more. */
const wanted = Number(process.env.LEAK_CYCLES ?? 100)
const calls = Number(process.env.LEAK_CALLS ?? 10)
const cyclesPerCall = 10
const lossRatio = 0.05
/** Of the pauses: a third is asked for. */
const leastStalled = 0.25
const rounds = Math.ceil(wanted / (calls * cyclesPerCall))
const seed = Number(process.env.LEAK_SEED ?? Date.now() % 1_000_000)

t.setTimeout(60_000 + rounds * (20_000 + calls * 2_000))
const chance = createChance(seed)
const tacet = await startTacet(t, { env: { LEASE_TTL_MS: '10000' } })
const spool = await watchSpool(t, tacet.stack)
const tally = createTally(rounds * calls * cyclesPerCall)
const startedAtMs = performance.now()

// One that fails is the last: what comes after it would bury what was found.
for (let round = 1; round <= rounds && t.passing(); round++) {
  await t.test(`nothing that left during a pause is in any file: ${calls * cyclesPerCall} pauses and resumes, a third with a stalled network, some with 5 % loss (round ${round} of ${rounds}, LEAK_SEED=${seed})`, async t => {
    const office = await openOffice(t, tacet)
    const judged = await playRound(t, office, { calls, cyclesPerCall, hasStalls: true, lossRatio, chance, spool })
    for (const { talk, segments } of judged) t.same(segments.flatMap(({ leaks }) => leaks), [], `nothing said in a pause of ${talk.callId} is in one of its segments`)
    checkNetwork(t, judged)
    t.equal(judged.flatMap(({ cycles }) => cycles).filter(({ resumed }) => resumed).length, calls * cyclesPerCall)
    tally.add(judged)
    t.comment(`round ${round} of ${rounds}: ${tally.progress(performance.now() - startedAtMs)}`)
  })
}
t.pass(`figures: ${tally.summary()}`)

/** The network was as bad as it was asked to be: else nothing was shown. */
function checkNetwork (t: Test, judged: JudgedCall[]): void {
  const pauses = judged.length * (cyclesPerCall + 1)
  const stalls = judged.flatMap(seenStalls).length
  t.ok(stalls >= leastStalled * pauses, `${stalls} of ${pauses} pauses had a stall that shows in when the packets left`)
  const voices = judged.flatMap(({ talk }) => talk.voices)
  const lossy = voices.filter(({ call }) => call.lossRatio > 0)
  t.equal(lossy.length, 2 * Math.floor(judged.length / 2), 'every other call loses packets')
  const lost = lossy.reduce((sum, voice) => sum + lostPackets(voice), 0)
  const sent = lossy.reduce((sum, { sentPackets }) => sum + sentPackets.length, 0)
  t.ok(lost >= lossRatio / 2 * sent, `${lost} packets of theirs were lost, ${sent} were not`)
  t.equal(voices.reduce((sum, voice) => sum + lostPackets(voice), 0), lost, 'the others lose none')
}
