import { sql } from 'drizzle-orm'
import { bigint, index, integer, jsonb, text, timestamp, uuid, type PgSchema } from 'drizzle-orm/pg-core'

/** The events of a service that are still to be published, or were lately. One per schema. */
export function outboxTable<Name extends string> (schema: PgSchema<Name>) {
  return schema.table('outbox', {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    eventId: uuid('event_id').notNull().unique('outbox_event_id_unique'),
    topic: text().notNull(),
    key: text().notNull(),
    type: text().notNull(),
    /** Attributes other than id, type and time: correlationId, traceparent. */
    headers: jsonb().$type<Record<string, string>>().notNull(),
    /** null is a tombstone. */
    payload: jsonb().$type<unknown>(),
    occurredAt: timestamp('occurred_at', { withTimezone: true, mode: 'date' }).notNull(),
    publishedAt: timestamp('published_at', { withTimezone: true, mode: 'date' }),
    attempts: integer().notNull().default(0),
    lastError: text('last_error'),
    parkedAt: timestamp('parked_at', { withTimezone: true, mode: 'date' }),
  }, table => [
    index('outbox_unpublished_index').on(table.id).where(sql`published_at is null and parked_at is null`),
    index('outbox_published_at_index').on(table.publishedAt).where(sql`published_at is not null`),
  ])
}

export type OutboxTable = ReturnType<typeof outboxTable<string>>
export type OutboxRow = OutboxTable['$inferSelect']
