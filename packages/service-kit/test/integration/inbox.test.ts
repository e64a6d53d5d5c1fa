import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import t, { type Test } from 'tap'
import { topics } from '@tacet/contracts'
import { createConsumer, toKafkaMessage, type Database, type EventIn, type KafkaClient, type Transaction } from '@tacet/service-kit'
import { eventually } from '@tacet/test-kit'
import { callHeld } from '../helpers/events.ts'
import { watch } from '../helpers/kafka.ts'
import { effects, inbox } from '../helpers/schema.ts'
import { databaseOverProxy, kafkaOverProxy, logger, openTestDatabase, testDatabase, testMetrics, testTopics } from '../helpers/stack.ts'

const deadLetters = 'test.dead-letters.v1'
type CallEvent = EventIn<typeof topics.calls>

const count = async (event: CallEvent, tx: Transaction) => {
  await tx.insert(effects).values({ key: event.subject, count: 1 }).onConflictDoUpdate({ target: effects.key, set: { count: sql`${effects.count} + 1` } })
}

function startConsumer (t: Test, database: Database, kafka: KafkaClient, handle: (event: CallEvent, tx: Transaction) => Promise<unknown> = count) {
  const consumer = createConsumer({ kafka, groupId: 'test', topics: [topics.calls], database, inbox, deadLetterTopic: deadLetters, handle, logger, metrics: testMetrics() })
  consumer.start()
  t.teardown(() => consumer.stop())
  return consumer
}

const setUp = async (t: Test, partitions = 1) => ({
  ...await testDatabase(t),
  ...await testTopics(t, [{ topic: topics.calls, partitions }, { topic: deadLetters }]),
})

function message (callId: string, seq: number, id: string = randomUUID()) {
  const { type, subject, data } = callHeld(callId, seq)
  return toKafkaMessage({ id, type, source: 'urn:tacet:test', subject, time: '2026-11-23T09:00:00.000Z', data })
}

async function producerTo (t: Test, kafka: KafkaClient) {
  const producer = kafka.createProducer()
  await producer.connect()
  t.teardown(() => producer.disconnect())
  return async (...messages: Parameters<typeof producer.send>[0]['messages']) => { await producer.send({ topic: kafka.prefixed(topics.calls), messages }) }
}

const countOf = async (database: Database, key: string) => (await database.db.select().from(effects).where(sql`${effects.key} = ${key}`))[0]?.count ?? 0

t.test('an event delivered twice has its effect once', async t => {
  const { database, kafka } = await setUp(t)
  const send = await producerTo(t, kafka)
  const callId = randomUUID()
  const last = randomUUID()
  const twice = message(callId, 1)
  startConsumer(t, database, kafka)
  await send(twice, twice)
  await send(twice, message(last, 2))
  await eventually(() => countOf(database, last))
  t.equal(await countOf(database, callId), 1)
})

t.test('what can not be read goes to the dead letters as received, with where it was and why, and the consumer goes on', async t => {
  const { database, kafka } = await setUp(t)
  const send = await producerTo(t, kafka)
  const letters = await watch(t, kafka, [deadLetters])
  const good = message(randomUUID(), 1)
  const last = randomUUID()
  await send(
    { key: 'a', value: 'not an event at all', headers: { colour: 'blue' } },
    { ...good, value: '{"half": ' },
    { ...good, value: JSON.stringify({ seq: 'one' }) },
    { ...good, headers: { ...good.headers, ce_id: 'not-a-uuid' } },
    { ...good, value: null },
    message(last, 2)
  )
  startConsumer(t, database, kafka)
  await eventually(() => countOf(database, last))
  await eventually(() => letters.length === 5)
  t.match(letters[0], { key: 'a', value: 'not an event at all' })
  const headers = letters.map(({ headers }) => Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])))
  t.match(headers[0], { colour: 'blue', dead_letter_topic: topics.calls, dead_letter_partition: '0', dead_letter_offset: '0', dead_letter_reason: /CloudEvent/ })
  t.match(headers.map(header => header['dead_letter_reason']), [/CloudEvent/, /not JSON/, /callId/, /id/, /no data/])
  t.match(headers[1], { ce_type: 'call.held' })
})

t.test('event types nobody here knows are ignored', async t => {
  const { database, kafka } = await setUp(t)
  const send = await producerTo(t, kafka)
  const letters = await watch(t, kafka, [deadLetters])
  const later = message(randomUUID(), 1)
  const last = randomUUID()
  startConsumer(t, database, kafka)
  await send({ ...later, headers: { ...later.headers, ce_type: 'call.sung' } }, message(last, 2))
  await eventually(() => countOf(database, last))
  t.equal(letters.length, 0)
})

t.test('a handler that keeps failing does not hold up the others for ever', { timeout: 60_000 }, async t => {
  const { database, kafka } = await setUp(t)
  const send = await producerTo(t, kafka)
  const letters = await watch(t, kafka, [deadLetters])
  const failing = randomUUID()
  const last = randomUUID()
  let attempts = 0
  startConsumer(t, database, kafka, async (event, tx) => {
    await count(event, tx)
    if (event.subject !== failing) return
    attempts++
    throw new TypeError('a bug')
  })
  await send(message(failing, 1), message(last, 2))
  await eventually(() => countOf(database, last), { timeoutMs: 15_000 })
  t.equal(attempts, 5)
  t.equal(await countOf(database, failing), 0, 'its transactions were rolled back')
  await eventually(() => letters.length === 1)
  t.match(String(letters[0]?.headers['dead_letter_reason']), /a bug/)
})

t.test('while the database is away nothing is skipped, and order holds when it is back', { timeout: 60_000 }, async t => {
  const { url, database: direct, kafka } = await setUp(t)
  const { database, proxy } = await databaseOverProxy(t, url)
  const send = await producerTo(t, kafka)
  const handled: number[] = []
  startConsumer(t, database, kafka, async (event, tx) => {
    await count(event, tx)
    handled.push(event.data.seq)
  })
  const callId = randomUUID()
  await send(message(callId, 1))
  await eventually(() => countOf(direct, callId))
  await proxy.cut()
  await send(message(callId, 2), message(callId, 3), message(callId, 4))
  await eventually(async () => (await waitingIn(kafka)) > 0n)
  t.equal(await countOf(direct, callId), 1)
  await proxy.mend()
  await eventually(async () => await countOf(direct, callId) === 4, { timeoutMs: 20_000 })
  t.same(handled, [1, 2, 3, 4])
})

/** Messages the group has not committed yet. */
async function waitingIn (kafka: KafkaClient): Promise<bigint> {
  const admin = kafka.createAdmin()
  await admin.connect()
  try {
    const [committed] = await admin.fetchOffsets({ groupId: kafka.prefixed('test'), topics: [kafka.prefixed(topics.calls)] })
    const [end] = await admin.fetchTopicOffsets(kafka.prefixed(topics.calls))
    return BigInt(end?.high ?? 0) - BigInt(committed?.partitions[0]?.offset ?? 0)
  } finally {
    await admin.disconnect()
  }
}

t.test('a consumer that lost Kafka takes up again where it was', { timeout: 60_000 }, async t => {
  const { database, kafka: direct, prefix } = await setUp(t)
  const { kafka, proxy } = await kafkaOverProxy(t, prefix)
  const send = await producerTo(t, direct)
  const consumer = startConsumer(t, database, kafka)
  const callId = randomUUID()
  await send(message(callId, 1))
  await eventually(() => countOf(database, callId))
  await proxy.cut()
  await send(message(callId, 2))
  await eventually(() => !consumer.check().isOk, { timeoutMs: 20_000 })
  await proxy.mend()
  await eventually(async () => await countOf(database, callId) === 2, { timeoutMs: 20_000 })
})

t.test('two instances share the work, and a stopped one hands over', { timeout: 60_000 }, async t => {
  const { url, database, kafka } = await setUp(t, 6)
  const send = await producerTo(t, kafka)
  const first = startConsumer(t, database, kafka)
  startConsumer(t, openTestDatabase(t, url), kafka)
  const callIds = Array.from({ length: 100 }, () => randomUUID())
  const handledOnce = async (ids: string[]) => {
    const rows = await database.db.select().from(effects)
    return rows.length === ids.length && rows.every(({ count }) => count === 1)
  }
  await send(...callIds.slice(0, 50).map((callId, index) => message(callId, index + 1)))
  await eventually(() => handledOnce(callIds.slice(0, 50)), { timeoutMs: 20_000 })
  await first.stop()
  await send(...callIds.slice(50).map((callId, index) => message(callId, index + 1)))
  await eventually(() => handledOnce(callIds), { timeoutMs: 20_000 })
})
