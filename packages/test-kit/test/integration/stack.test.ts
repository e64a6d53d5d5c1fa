import { Kafka, logLevel } from 'kafkajs'
import pg from 'pg'
import t from 'tap'
import { createTestDatabase, createTestTopics, kafkaProbe, readStack } from '@tacet/test-kit'

const stack = readStack()

t.test('a test database has a schema for each role, closed to the others', async t => {
  const database = await createTestDatabase(stack.postgres)
  t.teardown(() => database.drop())
  for (const [role, url] of Object.entries(database.urls)) {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    try {
      await client.query(`create table ${role}.things (id int)`)
      t.equal((await client.query('select current_database() as name')).rows[0].name, database.name)
      const other = role === 'settings' ? 'call_control' : 'settings'
      await t.rejects(client.query(`create table ${other}.things2 (id int)`), /permission denied/)
    } finally {
      await client.end()
    }
  }
})

t.test('a probe sees CloudEvents from now on, or from the beginning', async t => {
  const { brokers } = stack.kafka
  const { prefix, topics, drop } = await createTestTopics(brokers)
  const topic = `${prefix}tacet.calls.v1`
  const producer = new Kafka({ brokers, logLevel: logLevel.NOTHING }).producer()
  await producer.connect()
  t.teardown(async () => {
    await producer.disconnect()
    await drop()
  })
  const publish = (id: string) => producer.send({ topic, messages: [{ key: 'call-1', value: JSON.stringify({ seq: 1 }), headers: { ce_id: id, ce_type: 'call.answered' } }] })
  await publish('early')
  const late = await kafkaProbe({ brokers, topics })
  t.teardown(() => late.close())
  await publish('late')
  t.match(await late.waitFor(({ type }) => type === 'call.answered'), { id: 'late', key: 'call-1', data: { seq: 1 }, topic })

  const all = await kafkaProbe({ brokers, topics, from: 'beginning' })
  t.teardown(() => all.close())
  await all.waitFor(({ id }) => id === 'late')
  t.same(all.events.map(({ id }) => id), ['early', 'late'])
  await t.rejects(all.waitFor(({ id }) => id === 'never', { timeoutMs: 50 }), /there were call.answered, call.answered/)
})
