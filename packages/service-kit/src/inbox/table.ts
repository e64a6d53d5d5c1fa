import { primaryKey, text, timestamp, uuid, index, type PgSchema } from 'drizzle-orm/pg-core'

/** Which events a consumer group has already acted on. One per schema. */
export function inboxTable<Name extends string> (schema: PgSchema<Name>) {
  return schema.table('inbox', {
    eventId: uuid('event_id').notNull(),
    consumerGroup: text('consumer_group').notNull(),
    receivedAt: timestamp('received_at', { withTimezone: true, mode: 'date' }).notNull().defaultNow(),
  }, table => [
    primaryKey({ name: 'inbox_pkey', columns: [table.eventId, table.consumerGroup] }),
    index('inbox_received_at_index').on(table.receivedAt),
  ])
}

export type InboxTable = ReturnType<typeof inboxTable<string>>
