import { randomUUID } from 'node:crypto'
import { asc, sql } from 'drizzle-orm'
import t from 'tap'
import { topics } from '@tacet/contracts'
import { appendToOutbox, createRelay } from '@tacet/service-kit'
import { callHeld } from '../helpers/events.ts'
import { eventsIn, watch } from '../helpers/kafka.ts'
import { seqs, startRelay } from '../helpers/relay.ts'
import { outbox } from '../helpers/schema.ts'
import { logger, soon, testDatabase, testMetrics, testTopics } from '../helpers/stack.ts'

for (const [size, maxMessageBytes, detailBytes] of [['refused within a batch', 50_000, 100_000], ['larger than any batch', 1_048_588, 2_000_000]] as const) {
  t.test(`a row ${size} is parked after its attempts; its key waits for that, other keys do not`, async t => {
    const { database } = await testDatabase(t)
    const { kafka } = await testTopics(t, [{ topic: topics.calls, maxMessageBytes }])
    const seen = await watch(t, kafka, [topics.calls])
    const metrics = testMetrics()
    const poisoned = randomUUID()
    const other = randomUUID()
    const first = callHeld(poisoned, 1)
    const huge = { ...first, type: 'recording.missing', data: { ...first.data as object, recordingId: poisoned, state: 'off', reasons: [], detail: 'x'.repeat(detailBytes) } }
    await appendToOutbox(database.db, outbox, [huge, callHeld(poisoned, 2), callHeld(other, 3), callHeld(poisoned, 4)])
    startRelay(t, database, kafka, metrics)
    await soon(() => seen.length === 3)
    t.same(seqs(eventsIn(seen)), [3, 2, 4])
    const rows = await database.db.select().from(outbox).orderBy(asc(outbox.id))
    t.match(rows[0], { attempts: 5, lastError: /larger than/, publishedAt: null })
    t.ok(rows[0]?.parkedAt)
    t.match(await metrics.registry.metrics(), /tacet_outbox_parked_total\{service="test"\} 1/)
    t.match(await metrics.registry.metrics(), /tacet_alarms_total\{alarm="event-parked",service="test"\} 1/)
  })
}

t.test('metrics tell the size and the age of the backlog', async t => {
  const { database } = await testDatabase(t)
  const { kafka } = await testTopics(t, [{ topic: topics.calls }])
  const metrics = testMetrics()
  createRelay({ database, table: outbox, kafka, source: 'urn:tacet:test', logger, metrics })
  await appendToOutbox(database.db, outbox, [{ ...callHeld(randomUUID(), 1), occurredAt: new Date(Date.now() - 60_000) }, callHeld(randomUUID(), 2)])
  const text = await metrics.registry.metrics()
  t.match(text, /tacet_outbox_backlog\{service="test"\} 2/)
  t.match(text, /tacet_outbox_oldest_age_seconds\{service="test"\} 6\d/)
})

t.test('rows published long ago are deleted, unpublished ones never', async t => {
  const { database } = await testDatabase(t)
  const { kafka } = await testTopics(t, [{ topic: topics.calls }])
  await appendToOutbox(database.db, outbox, [callHeld(randomUUID(), 1), callHeld(randomUUID(), 2)])
  await database.db.update(outbox).set({ publishedAt: sql`now() - interval '25 hours'` }).where(sql`id = 1`)
  startRelay(t, database, kafka)
  await soon(async () => (await database.db.select().from(outbox)).length === 1)
  t.equal((await database.db.select().from(outbox))[0]?.id, 2)
})
