import { randomUUID } from 'node:crypto'
import { eq, like } from 'drizzle-orm'
import t, { type Test } from 'tap'
import { topics, type Credential } from '@tacet/contracts'
import { createReplica, toKafkaMessage, type Database, type KafkaClient } from '@tacet/service-kit'
import { credential } from '../helpers/events.ts'
import { watch } from '../helpers/kafka.ts'
import { replica as table } from '../helpers/schema.ts'
import { databaseOverProxy, kafkaOverProxy, logger, soon, testDatabase, testMetrics, testTopics } from '../helpers/stack.ts'

const topic = topics.credentials
const type = 'credential.changed'
const deadLetters = 'test.dead-letters.v1'

async function startReplica (t: Test, database: Database, kafka: KafkaClient) {
  const replica = createReplica({ topic, name: 'test', kafka, database, table, deadLetterTopic: deadLetters, logger, metrics: testMetrics() })
  await replica.start()
  t.teardown(() => replica.stop())
  return replica
}

const setUp = async (t: Test) => ({ ...await testDatabase(t), ...await testTopics(t, [{ topic, isCompacted: true }, { topic: deadLetters }]) })

async function publisherTo (t: Test, kafka: KafkaClient) {
  const producer = kafka.createProducer()
  await producer.connect()
  t.teardown(() => producer.disconnect())
  const send = async (subject: string, data: Credential | null) => {
    const message = toKafkaMessage({ id: randomUUID(), type, source: 'urn:tacet:test', subject, time: new Date().toISOString(), data })
    await producer.send({ topic: kafka.prefixed(topic), messages: [message] })
  }
  return {
    publish: (data: Credential) => send(data.credentialId, data),
    remove: (id: string) => send(id, null),
    raw: (key: string, value: string) => producer.send({ topic: kafka.prefixed(topic), messages: [{ key, value }] }),
  }
}

t.test('a replica replays what was published before it started, and then follows', async t => {
  const { database, kafka } = await setUp(t)
  const { publish } = await publisherTo(t, kafka)
  const [first, second] = [credential(1), credential(1)]
  await publish(first)
  await publish({ ...first, version: 2, label: 'renamed' })
  const replica = await startReplica(t, database, kafka)
  t.equal(await replica.whenUsable(20_000), 'current')
  t.match(replica.get(type, first.credentialId), { version: 2, label: 'renamed' })

  const changes: unknown[] = []
  replica.onChange(change => changes.push(change))
  await publish(second)
  await soon(() => replica.list(type).length === 2)
  t.match(changes, [{ type, id: second.credentialId, value: second, previous: undefined }])
  t.match(replica.check(), { isOk: true, state: 'current', isConnected: true, entities: 2 })
})

t.test('an older version never replaces a newer one', async t => {
  const { database, kafka } = await setUp(t)
  const { publish } = await publisherTo(t, kafka)
  const [one, last] = [credential(5, { label: 'new' }), credential(1)]
  const replica = await startReplica(t, database, kafka)
  await publish(one)
  await publish({ ...one, version: 4, label: 'old' })
  await publish({ ...one, version: 5, label: 'again' })
  await publish(last)
  await soon(() => replica.get(type, last.credentialId))
  t.match(replica.get(type, one.credentialId), { version: 5, label: 'new' })
})

t.test('a tombstone removes, and what is created again after it is there', async t => {
  const { database, kafka } = await setUp(t)
  const { publish, remove } = await publisherTo(t, kafka)
  const [gone, back] = [credential(1), credential(1)]
  const replica = await startReplica(t, database, kafka)
  for (const one of [gone, back]) await publish(one)
  await soon(() => replica.list(type).length === 2)
  const changes: unknown[] = []
  replica.onChange(change => changes.push(change))
  for (const one of [gone, back]) await remove(one.credentialId)
  await soon(() => replica.list(type).length === 0)
  t.match(changes[0], { id: gone.credentialId, value: undefined, previous: gone })
  await publish({ ...back, version: 2 })
  await soon(() => replica.get(type, back.credentialId))

  const restarted = await startReplica(t, database, kafka)
  t.equal(await restarted.whenUsable(20_000), 'current')
  t.same(restarted.list(type).map(({ credentialId, version }) => ({ credentialId, version })), [{ credentialId: back.credentialId, version: 2 }])
})

t.test('a message that makes no sense is passed over, the version before it stays, and it goes to the dead letters once, however often it is read', async t => {
  const { database, kafka } = await setUp(t)
  const letters = await watch(t, kafka, [deadLetters])
  const { publish, raw } = await publisherTo(t, kafka)
  const [one, last] = [credential(1), credential(1)]
  await publish(one)
  await raw(one.credentialId, 'rubbish')
  await publish(last)
  const replica = await startReplica(t, database, kafka)
  t.equal(await replica.whenUsable(20_000), 'current')
  t.ok(replica.get(type, one.credentialId))
  t.ok(replica.get(type, last.credentialId))
  await soon(() => letters.length === 1)
  t.match(letters, [{ key: one.credentialId, value: 'rubbish' }])
  t.match(letters[0]?.headers, { dead_letter_topic: Buffer.from(topic), dead_letter_offset: Buffer.from('1') })
  await soon(async () => (await database.db.select().from(table).where(like(table.topic, '%#refused'))).length === 1)

  const restarted = await startReplica(t, database, kafka)
  t.equal(await restarted.whenUsable(20_000), 'current')
  await raw(one.credentialId, 'more rubbish')
  await soon(() => letters.length > 1)
  t.match(letters.slice(1), [{ value: 'more rubbish' }], 'the first is not put there again, by either')
})

t.test('an empty topic is a current replica', async t => {
  const { database, kafka } = await setUp(t)
  const replica = await startReplica(t, database, kafka)
  t.equal(await replica.whenUsable(20_000), 'current')
  t.match(replica.check(), { isOk: true, entities: 0 })
})

t.test('with Kafka away a replica starts from its stored copy, says how old it is, and catches up later', { timeout: 60_000 }, async t => {
  const { database, kafka: direct, prefix } = await setUp(t)
  const { kafka, proxy } = await kafkaOverProxy(t, prefix)
  const { publish, remove } = await publisherTo(t, direct)
  const [stays, goes] = [credential(1), credential(1)]
  await publish(stays)
  await publish(goes)
  const before = await startReplica(t, database, kafka)
  t.equal(await before.whenUsable(20_000), 'current')
  await before.stop()
  await proxy.cut()
  await remove(goes.credentialId)
  await publish({ ...stays, version: 2 })

  const after = await startReplica(t, database, kafka)
  t.equal(await after.whenUsable(500), 'stored')
  t.equal(after.list(type).length, 2)
  const check = after.check()
  t.match(check, { isOk: true, state: 'stored', isConnected: false, entities: 2 })
  t.ok(typeof check['ageMs'] === 'number' && check['ageMs'] >= 500)

  await proxy.mend()
  await soon(() => after.check()['state'] === 'current')
  t.match(after.list(type), [{ credentialId: stays.credentialId, version: 2 }])
})

t.test('with neither Kafka nor a stored copy a replica is not usable', async t => {
  const { database, prefix } = await setUp(t)
  const { kafka, proxy } = await kafkaOverProxy(t, prefix)
  await proxy.cut()
  const replica = await startReplica(t, database, kafka)
  t.equal(await replica.whenUsable(200), 'empty')
  t.equal(replica.check().isOk, false)
})

t.test('with the database away a replica follows in memory, and stores its copy when it is back', { timeout: 60_000 }, async t => {
  const { url, database: direct, kafka } = await setUp(t)
  const { database, proxy } = await databaseOverProxy(t, url)
  const { publish } = await publisherTo(t, kafka)
  await proxy.cut()
  const replica = await startReplica(t, database, kafka)
  const one = credential(1)
  await publish(one)
  await soon(() => replica.get(type, one.credentialId))
  await proxy.mend()
  await soon(async () => (await direct.db.select().from(table).where(eq(table.entityId, one.credentialId))).length === 1)
})
