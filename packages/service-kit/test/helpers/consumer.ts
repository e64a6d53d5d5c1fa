import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import type { Test } from 'tap'
import { topics } from '@tacet/contracts'
import { createConsumer, toKafkaMessage, type Database, type EventIn, type KafkaClient, type Transaction } from '@tacet/service-kit'
import { callHeld } from './events.ts'
import { effects, inbox } from './schema.ts'
import { logger, testDatabase, testMetrics, testTopics } from './stack.ts'

export const deadLetters = 'test.dead-letters.v1'
type CallEvent = EventIn<typeof topics.calls>

/** The effect of an event here: it is counted for its call. */
export const count = async (event: CallEvent, tx: Transaction) => {
  await tx.insert(effects).values({ key: event.subject, count: 1 }).onConflictDoUpdate({ target: effects.key, set: { count: sql`${effects.count} + 1` } })
}

export const countOf = async (database: Database, key: string) => (await database.db.select().from(effects).where(sql`${effects.key} = ${key}`))[0]?.count ?? 0

export function startConsumer (t: Test, database: Database, kafka: KafkaClient, handle: (event: CallEvent, tx: Transaction) => Promise<unknown> = count) {
  const consumer = createConsumer({ kafka, groupId: 'test', topics: [topics.calls], database, inbox, deadLetterTopic: deadLetters, handle, logger, metrics: testMetrics() })
  consumer.start()
  t.teardown(() => consumer.stop())
  return consumer
}

export const setUp = async (t: Test, partitions = 1) => ({
  ...await testDatabase(t),
  ...await testTopics(t, [{ topic: topics.calls, partitions }, { topic: deadLetters }]),
})

export function message (callId: string, seq: number, id: string = randomUUID()) {
  const { type, subject, data } = callHeld(callId, seq)
  return toKafkaMessage({ id, type, source: 'urn:tacet:test', subject, time: '2026-11-23T09:00:00.000Z', data })
}

export async function producerTo (t: Test, kafka: KafkaClient) {
  const producer = kafka.createProducer()
  await producer.connect()
  t.teardown(() => producer.disconnect())
  return async (...messages: Parameters<typeof producer.send>[0]['messages']) => { await producer.send({ topic: kafka.prefixed(topics.calls), messages }) }
}
