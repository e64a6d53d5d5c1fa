import t from 'tap'
import { openOffice } from '../support/office.ts'
import { startTacet } from '../support/tacet.ts'
import { createChance } from './cycles.ts'
import { playRound } from './round.ts'
import { watchSpool } from './spool.ts'

/** `npm run soak` asks for more. */
const wanted = Number(process.env.LEAK_CYCLES ?? 100)
const calls = Number(process.env.LEAK_CALLS ?? 10)
const cyclesPerCall = 10
const rounds = Math.ceil(wanted / (calls * cyclesPerCall))
const seed = Number(process.env.LEAK_SEED ?? Date.now() % 1_000_000)

t.setTimeout(120_000 + rounds * 180_000)
const chance = createChance(seed)
const tacet = await startTacet(t, { env: { LEASE_TTL_MS: '10000' } })
const spool = await watchSpool(t, tacet.stack)

for (let round = 1; round <= rounds; round++) {
  t.test(`nothing that left during a pause is in any file: ${calls * cyclesPerCall} pauses and resumes, a third with a stalled network, some with 5 % loss (round ${round} of ${rounds}, LEAK_SEED=${seed})`, async t => {
    const office = await openOffice(t, tacet)
    const judged = await playRound(t, office, { calls, cyclesPerCall, hasStalls: true, lossRatio: 0.05, chance, spool })
    for (const { talk, segments } of judged) {
      t.same(segments.flatMap(({ leaks }) => leaks), [], `nothing said in a pause of ${talk.callId} is in one of its segments`)
      t.same(segments.filter(({ heardMs }) => heardMs < 40), [], 'everybody is heard in each of them')
    }
    const done = judged.flatMap(({ cycles }) => cycles)
    const resumed = done.filter(cycle => cycle.resumed)
    t.equal(resumed.length, calls * cyclesPerCall)
    t.pass(`figures: ${resumed.length} pauses and resumes and ${done.length - resumed.length} pauses more, ${done.filter(({ isStalled }) => isStalled).length} of them with a stall; ${(judged.flatMap(({ segments }) => segments).reduce((sum, { samples }) => sum + samples, 0) / 8000).toFixed(0)} s recorded`)
  })
}
