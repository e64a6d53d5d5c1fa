import { sql } from 'drizzle-orm'
import type { Test } from 'tap'
import { createRelay, type Database, type KafkaClient } from '@tacet/service-kit'
import { outbox } from './schema.ts'
import { logger, testMetrics } from './stack.ts'

export function startRelay (t: Test, database: Database, kafka: KafkaClient, metrics = testMetrics()) {
  const relay = createRelay({ database, table: outbox, kafka, source: 'urn:tacet:test', logger, metrics })
  relay.start()
  t.teardown(() => relay.stop())
  return relay
}

export const seqs = (events: { data: unknown }[]) => events.map(({ data }) => (data as { seq: number }).seq)

export async function isPublished (database: Database): Promise<boolean> {
  const [row] = await database.db.select({ left: sql<number>`count(*)::int` }).from(outbox).where(sql`published_at is null and parked_at is null`)
  return row?.left === 0
}
