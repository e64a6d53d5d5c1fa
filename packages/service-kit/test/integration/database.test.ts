import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import pg from 'pg'
import t from 'tap'
import { isTransientDatabaseError, runMigrations, violatedConstraint } from '@tacet/service-kit'
import { effects } from '../helpers/schema.ts'
import { databaseOverProxy, logger, soon, testDatabase } from '../helpers/stack.ts'

const folder = join(import.meta.dirname, '../helpers/migrations')

t.test('migrations are applied once, however many try at the same time', async t => {
  const { url, database } = await testDatabase(t)
  await database.db.execute(sql`drop schema kit cascade`)
  const migrate = () => runMigrations({ url, schema: 'kit', folder, logger })
  const applied = await Promise.all([migrate(), migrate(), migrate()])
  t.same(applied.sort(), [0, 0, 1])
  t.same(await database.db.select().from(effects), [])
})

t.test('a migration does not wait for ever for another', async t => {
  const { url } = await testDatabase(t)
  const holder = new pg.Client({ connectionString: url })
  await holder.connect()
  t.teardown(() => holder.end())
  await holder.query('select pg_advisory_lock(hashtext($1))', ['tacet:migrate:kit'])
  await t.rejects(runMigrations({ url, schema: 'kit', folder, logger, lockTimeoutMs: 50 }), { code: '55P03' })
})

t.test('a lost database is a transient error, and the pool comes back by itself', async t => {
  const { url } = await testDatabase(t)
  const { database, proxy } = await databaseOverProxy(t, url)
  t.match(await database.check(), { isOk: true })
  await proxy.cut()
  const error = await database.db.execute(sql`select 1`).then(() => undefined, (error: unknown) => error)
  t.ok(isTransientDatabaseError(error), String(error))
  await t.rejects(database.check())
  await proxy.mend()
  t.match(await soon(() => database.check()), { isOk: true })
})

t.test('a connection that dies inside a transaction fails that transaction and nothing else', async t => {
  const { url, database: direct } = await testDatabase(t)
  const { database, proxy } = await databaseOverProxy(t, url)
  const error = await database.db.transaction(async tx => {
    await tx.insert(effects).values({ key: 'a' })
    await proxy.cut()
    await tx.insert(effects).values({ key: 'b' })
  }).then(() => undefined, (error: unknown) => error)
  t.ok(isTransientDatabaseError(error), String(error))
  t.same(await direct.db.select().from(effects), [])
})

t.test('a transaction that can not even begin gives its connection back', async t => {
  const { url } = await testDatabase(t)
  const { database, proxy } = await databaseOverProxy(t, url, { maxConnections: 1, statementTimeoutMs: 100 })
  await database.check()
  proxy.swallow(/begin/)
  const error = await database.db.transaction(async () => {}).then(() => undefined, (error: unknown) => error)
  t.ok(isTransientDatabaseError(error), String(error))
  proxy.swallow(undefined)
  t.match(await database.check(), { isOk: true }, 'the only one there may be')
  t.same(await database.db.transaction(async tx => (await tx.execute(sql`select 1 as one`)).rows), [{ one: 1 }])
})

t.test('mistakes are not transient, and a violated constraint has its name', async t => {
  const { database } = await testDatabase(t)
  await database.db.insert(effects).values({ key: 'a' })
  const duplicate = await database.db.insert(effects).values({ key: 'a' }).then(() => undefined, (error: unknown) => error)
  t.equal(violatedConstraint(duplicate), 'effects_pkey')
  t.notOk(isTransientDatabaseError(duplicate))
  t.notOk(isTransientDatabaseError(await database.db.execute(sql`select nonsense`).then(() => undefined, (error: unknown) => error)))
})
