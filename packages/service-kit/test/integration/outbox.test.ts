import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import t from 'tap'
import { topics } from '@tacet/contracts'
import { appendToOutbox, createAlarms } from '@tacet/service-kit'
import { callHeld } from '../helpers/events.ts'
import { eventsIn, watch } from '../helpers/kafka.ts'
import { isPublished, seqs, startRelay } from '../helpers/relay.ts'
import { effects, outbox } from '../helpers/schema.ts'
import { databaseOverProxy, kafkaOverProxy, logger, openTestDatabase, soon, testDatabase, testMetrics, testTopics } from '../helpers/stack.ts'

t.test('an event appended in a transaction is published after its commit, as a CloudEvent keyed by its subject', async t => {
  const { database } = await testDatabase(t)
  const { kafka } = await testTopics(t, [{ topic: topics.calls }])
  const seen = await watch(t, kafka, [topics.calls])
  const relay = startRelay(t, database, kafka)
  const callId = randomUUID()
  await database.db.transaction(tx => appendToOutbox(tx, outbox, [{ ...callHeld(callId, 1), correlationId: 'from-the-phone' }]))
  relay.wake()
  await soon(() => seen.length === 1)
  t.match(seen[0], { topic: topics.calls, key: callId })
  t.match(eventsIn(seen)[0], { type: 'call.held', source: 'urn:tacet:test', subject: callId, correlationId: 'from-the-phone', data: { callId, seq: 1 } })
})

t.test('what a rolled back transaction appended is never published', async t => {
  const { database } = await testDatabase(t)
  const { kafka } = await testTopics(t, [{ topic: topics.calls }])
  const seen = await watch(t, kafka, [topics.calls])
  startRelay(t, database, kafka)
  await t.rejects(database.db.transaction(async tx => {
    await appendToOutbox(tx, outbox, [callHeld(randomUUID(), 1)])
    throw new Error('no')
  }), { message: 'no' })
  await appendToOutbox(database.db, outbox, [callHeld(randomUUID(), 2)])
  await soon(() => seen.length > 0)
  t.same(seqs(eventsIn(seen)), [2])
})

t.test('an event that does not match the contracts is refused when it is appended', async t => {
  const { database } = await testDatabase(t)
  const message = callHeld(randomUUID(), 1)
  await t.rejects(appendToOutbox(database.db, outbox, [{ ...message, data: { seq: 'one' } }]))
  await t.rejects(appendToOutbox(database.db, outbox, [{ ...message, type: 'call.sung' }]), { message: /no event call\.sung/ })
})

t.test('with Kafka unavailable events wait, and are published in order when it is back', { timeout: 60_000 }, async t => {
  const { database } = await testDatabase(t)
  const { prefix, kafka: direct } = await testTopics(t, [{ topic: topics.calls }])
  const { kafka, proxy } = await kafkaOverProxy(t, prefix)
  const seen = await watch(t, direct, [topics.calls])
  const relay = startRelay(t, database, kafka)
  const callId = randomUUID()
  await appendToOutbox(database.db, outbox, [callHeld(callId, 1)])
  await soon(() => seen.length === 1)

  await proxy.cut()
  for (const seq of [2, 3, 4]) await appendToOutbox(database.db, outbox, [callHeld(callId, seq)])
  await soon(() => relay.check()['lastError'] !== undefined)
  t.equal(seen.length, 1)

  await proxy.mend()
  await soon(() => seen.length >= 4)
  t.same([...new Set(seqs(eventsIn(seen)))], [1, 2, 3, 4])
})

t.test('with the database gone for a while the relay comes back by itself', { timeout: 60_000 }, async t => {
  const { url, database: direct } = await testDatabase(t)
  const { kafka } = await testTopics(t, [{ topic: topics.calls }])
  const { database, proxy } = await databaseOverProxy(t, url)
  const seen = await watch(t, kafka, [topics.calls])
  const relay = startRelay(t, database, kafka)
  await soon(() => relay.check()['role'] === 'active')
  await proxy.cut()
  await appendToOutbox(direct.db, outbox, [callHeld(randomUUID(), 1)])
  await soon(() => relay.check()['lastError'] !== undefined)
  await proxy.mend()
  await soon(() => seen.length === 1)
})

for (const away of ['kafka', 'database'] as const) {
  t.test(`a relay that is without its ${away} for longer than a moment raises one alarm, until it is back`, { timeout: 60_000 }, async t => {
    const { url, database: direct } = await testDatabase(t)
    const { kafka: directKafka, prefix } = await testTopics(t, [{ topic: topics.calls }])
    const { database, kafka, proxy } = away === 'kafka' ? { database: direct, ...await kafkaOverProxy(t, prefix) } : { kafka: directKafka, ...await databaseOverProxy(t, url) }
    const metrics = testMetrics()
    createAlarms({ metrics, logger, afterMs: 500 })
    const shows = async (pattern: string) => new RegExp(pattern).test(await metrics.registry.metrics())
    const relay = startRelay(t, database, kafka, metrics)
    await soon(() => relay.check()['role'] === 'active')
    await proxy.cut()
    await appendToOutbox(direct.db, outbox, [callHeld(randomUUID(), 1)])
    await soon(() => shows(`tacet_alarm_active{alarm="${away}-away",service="test"} 1`))
    await proxy.mend()
    await soon(() => shows(`tacet_alarm_active{alarm="${away}-away",service="test"} 0`))
    t.ok(await shows(`tacet_alarms_total{alarm="${away}-away",service="test"} 1`))
    t.equal((await metrics.registry.metrics()).match(/tacet_alarms_total\{/g)?.length, 1, 'nothing else is alarmed')
  })
}

t.test('of two relays one is active, and when it stops the other takes over', async t => {
  const { url, database } = await testDatabase(t)
  const { kafka } = await testTopics(t, [{ topic: topics.calls }])
  const seen = await watch(t, kafka, [topics.calls])
  const first = startRelay(t, database, kafka)
  await soon(() => first.check()['role'] === 'active')
  const second = startRelay(t, openTestDatabase(t, url), kafka)
  await appendToOutbox(database.db, outbox, Array.from({ length: 20 }, (_, index) => callHeld(randomUUID(), index + 1)))
  await soon(() => isPublished(database))
  t.equal(second.check()['role'], 'standby')

  await first.stop()
  await appendToOutbox(database.db, outbox, [callHeld(randomUUID(), 21)])
  await soon(() => seen.length >= 21)
  t.equal(second.check()['role'], 'active')
  t.same(seqs(eventsIn(seen)), Array.from({ length: 21 }, (_, index) => index + 1), 'nothing twice')
})

t.test('stopping publishes what is left', async t => {
  const { database } = await testDatabase(t)
  const { kafka } = await testTopics(t, [{ topic: topics.calls }])
  const relay = startRelay(t, database, kafka)
  await soon(() => relay.check()['role'] === 'active')
  await appendToOutbox(database.db, outbox, Array.from({ length: 250 }, (_, index) => callHeld(randomUUID(), index + 1)))
  await relay.stop()
  t.ok(await isPublished(database))
})

t.test('the events of a key keep their order under concurrent writers', { timeout: 60_000 }, async t => {
  const { database } = await testDatabase(t)
  const { kafka } = await testTopics(t, [{ topic: topics.calls, partitions: 6 }])
  const seen = await watch(t, kafka, [topics.calls])
  const relay = startRelay(t, database, kafka)
  const callIds = Array.from({ length: 5 }, () => randomUUID())
  await database.db.insert(effects).values(callIds.map(key => ({ key })))
  const write = async (callId: string) => {
    await database.db.transaction(async tx => {
      const [row] = await tx.update(effects).set({ count: sql`${effects.count} + 1` }).where(sql`${effects.key} = ${callId}`).returning()
      await appendToOutbox(tx, outbox, [callHeld(callId, row?.count ?? 0)])
    })
    relay.wake()
  }
  await Promise.all(Array.from({ length: 10 }, async (_, writer) => {
    for (let turn = 0; turn < 20; turn++) await write(callIds[(writer + turn) % 5] ?? '')
  }))
  await soon(() => seen.length === 200)
  const bySubject = Map.groupBy(eventsIn(seen), ({ subject }) => subject)
  for (const events of bySubject.values()) t.same(seqs(events), Array.from({ length: 40 }, (_, index) => index + 1))
})
