import t from 'tap'
import { openOffice } from '../support/office.ts'
import { startTacet } from '../support/tacet.ts'
import { choose } from './choose.ts'
import { faults } from './faults.ts'
import { openGround } from './ground.ts'
import { finish, judge } from './model.ts'
import { begin, play, type World } from './play.ts'
import { watchMatrixSpool } from './spool-log.ts'

/** MATRIX=all plays all of them, and longer. MATRIX_ONLY, a regular expression, names some. */
const seed = Number(process.env.MATRIX_SEED ?? Date.now() % 1_000_000)
const isAll = process.env.MATRIX === 'all'

t.setTimeout(isAll ? 3_600_000 : 300_000)
const ground = await openGround(t)
const rounds = choose(faults({ isLong: isAll }), { seed, isAll, only: process.env.MATRIX_ONLY, budgetSeconds: 60 })
const tacet = await startTacet(t, { stack: ground.stack, env: { LEASE_TTL_MS: '2000', ASSEMBLY_LEASE_MS: '1000', ASSEMBLY_MEASURE_AFTER_MS: '0' } })
await tacet.putCompany({ outputFormats: ['flac'] })
const spool = await watchMatrixSpool(t, ground.stack)
const office = await openOffice(t, tacet)

for (const [index, round] of rounds.entries()) {
  t.test(`round ${index + 1} (MATRIX_SEED=${seed})`, async t => {
    const world: World = { ground, tacet, history: { office, lines: [] } }
    await begin(world.history)
    for (const [place, fault] of round.entries()) {
      await t.test(fault.name, async t => await play(t, world, fault, round[place + 1]))
    }
    await t.test(`what is left of ${round.length} faults`, async t => {
      await finish(t, world)
      await judge(t, world, spool)
    })
  })
}
