import { pgSchema, text, integer } from 'drizzle-orm/pg-core'
import { inboxTable, outboxTable, replicaTable } from '@tacet/service-kit'

export const schema = pgSchema('kit')
export const outbox = outboxTable(schema)
export const inbox = inboxTable(schema)
export const replica = replicaTable(schema)
export const effects = schema.table('effects', {
  key: text().primaryKey(),
  count: integer().notNull().default(0),
})
