import { randomUUID } from 'node:crypto'
import t from 'tap'
import { topics } from '@tacet/contracts'
import { count, countOf, deadLetters, message, producerTo, setUp, startConsumer } from '../helpers/consumer.ts'
import { watch } from '../helpers/kafka.ts'
import { soon } from '../helpers/stack.ts'

t.test('an event delivered twice has its effect once', async t => {
  const { database, kafka } = await setUp(t)
  const send = await producerTo(t, kafka)
  const callId = randomUUID()
  const last = randomUUID()
  const twice = message(callId, 1)
  startConsumer(t, database, kafka)
  await send(twice, twice)
  await send(twice, message(last, 2))
  await soon(() => countOf(database, last))
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
  await soon(() => countOf(database, last))
  await soon(() => letters.length === 5)
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
  await soon(() => countOf(database, last))
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
  await soon(() => countOf(database, last))
  t.equal(attempts, 5)
  t.equal(await countOf(database, failing), 0, 'its transactions were rolled back')
  await soon(() => letters.length === 1)
  t.match(String(letters[0]?.headers['dead_letter_reason']), /a bug/)
})
