import { randomUUID } from 'node:crypto'
import t from 'tap'
import { topics } from '@tacet/contracts'
import type { KafkaClient } from '@tacet/service-kit'
import { count, countOf, message, producerTo, setUp, startConsumer } from '../helpers/consumer.ts'
import { effects } from '../helpers/schema.ts'
import { databaseOverProxy, kafkaOverProxy, openTestDatabase, soon } from '../helpers/stack.ts'

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
  await soon(() => countOf(direct, callId))
  await proxy.cut()
  await send(message(callId, 2), message(callId, 3), message(callId, 4))
  await soon(async () => (await waitingIn(kafka)) > 0n)
  t.equal(await countOf(direct, callId), 1)
  await proxy.mend()
  await soon(async () => await countOf(direct, callId) === 4)
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
  await soon(() => countOf(database, callId))
  await proxy.cut()
  await send(message(callId, 2))
  await soon(() => !consumer.check().isOk)
  await proxy.mend()
  await soon(async () => await countOf(database, callId) === 2)
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
  await soon(() => handledOnce(callIds.slice(0, 50)))
  await first.stop()
  await send(...callIds.slice(50).map((callId, index) => message(callId, index + 1)))
  await soon(() => handledOnce(callIds))
})
