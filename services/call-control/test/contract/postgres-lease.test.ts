import { sql } from 'drizzle-orm'
import t, { type Test } from 'tap'
import { createPostgresLease } from '../../src/adapters/postgres-lease.ts'
import { openTestDatabase } from '../support/test-database.ts'

const [one, two] = ['10000000-0000-4000-8000-000000000000', '20000000-0000-4000-8000-000000000000']

async function createWorld (t: Test) {
  const { database } = await openTestDatabase(t)
  const lease = (holder: string, pbxId = 'demo') => createPostgresLease({ database, pbxId, holder, ttlMs: 60_000 })
  const expire = () => database.db.execute(sql`update call_control.leases set expires_at = now() - interval '1 second'`)
  return { lease, expire }
}

t.test('one instance holds the lease and renews it under one epoch; others wait', async t => {
  const { lease } = await createWorld(t)
  t.equal(await lease(one).acquire(), 1)
  t.equal(await lease(one).acquire(), 1)
  t.equal(await lease(two).acquire(), undefined)
  t.equal(await lease(two, 'another-pbx').acquire(), 1)
})

t.test('an expired lease goes to whoever asks first, with a new epoch', async t => {
  const { lease, expire } = await createWorld(t)
  await lease(one).acquire()
  await expire()
  t.equal(await lease(two).acquire(), 2)
  t.equal(await lease(one).acquire(), undefined)
})

t.test('a holder that was late but first keeps its epoch', async t => {
  const { lease, expire } = await createWorld(t)
  await lease(one).acquire()
  await expire()
  t.equal(await lease(one).acquire(), 1)
})

t.test('a released lease is free at once; who does not hold it can not release it', async t => {
  const { lease } = await createWorld(t)
  await lease(one).acquire()
  await lease(two).release()
  t.equal(await lease(two).acquire(), undefined)
  await lease(one).release()
  t.equal(await lease(two).acquire(), 2)
})

t.test('of many that ask at once, one gets it', async t => {
  const { lease } = await createWorld(t)
  const holders = Array.from({ length: 8 }, (_each, index) => `${index}0000000-0000-4000-8000-000000000000`)
  const epochs = await Promise.all(holders.map(holder => lease(holder).acquire()))
  t.equal(epochs.filter(epoch => epoch !== undefined).length, 1)
})
