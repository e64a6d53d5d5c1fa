import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { isNull } from 'drizzle-orm'
import t from 'tap'
import { topics } from '@tacet/contracts'
import { appendToOutbox, createRelay } from '@tacet/service-kit'
import { countOf, setUp, startConsumer } from '../helpers/consumer.ts'
import { callHeld } from '../helpers/events.ts'
import { eventsIn, watch } from '../helpers/kafka.ts'
import { outbox } from '../helpers/schema.ts'
import { brokers, logger, soon, testMetrics } from '../helpers/stack.ts'

t.test('a relay killed between send and mark publishes twice, and the event has its effect once', async t => {
  const { url, database, kafka, prefix } = await setUp(t)
  const seen = await watch(t, kafka, [topics.calls])
  const callId = randomUUID()
  await appendToOutbox(database.db, outbox, [callHeld(callId, 1)])

  const dying = spawn(process.execPath, ['--conditions=@tacet/source', join(import.meta.dirname, '../helpers/dying-relay.ts'), url, brokers[0] ?? '', prefix], { stdio: 'inherit' })
  t.teardown(() => dying.kill('SIGKILL'))
  const [, signal] = await once(dying, 'exit')
  t.equal(signal, 'SIGKILL')
  await soon(() => seen.length === 1)
  t.equal((await database.db.select().from(outbox).where(isNull(outbox.publishedAt))).length, 1, 'not marked')

  startConsumer(t, database, kafka)
  await soon(() => countOf(database, callId))
  const relay = createRelay({ database, table: outbox, kafka, source: 'urn:tacet:test', logger, metrics: testMetrics() })
  relay.start()
  t.teardown(() => relay.stop())
  const last = randomUUID()
  await appendToOutbox(database.db, outbox, [callHeld(last, 2)])
  await soon(() => countOf(database, last))
  await soon(() => eventsIn(seen).some(({ subject }) => subject === last))

  const events = eventsIn(seen).filter(({ subject }) => subject === callId)
  t.equal(events.length, 2)
  t.equal(events[0]?.id, events[1]?.id)
  t.equal(await countOf(database, callId), 1)
})
