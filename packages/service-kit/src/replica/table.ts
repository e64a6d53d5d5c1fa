import { bigint, jsonb, primaryKey, text, timestamp, type PgSchema } from 'drizzle-orm/pg-core'

/** A service's own copy of compacted topics, to start from when Kafka is away. One per schema. */
export function replicaTable<Name extends string> (schema: PgSchema<Name>) {
  return schema.table('replica', {
    topic: text().notNull(),
    entityId: text('entity_id').notNull(),
    type: text().notNull(),
    version: bigint({ mode: 'number' }).notNull(),
    /** null: deleted. The row stays, so that a late older version can't bring the entity back. */
    payload: jsonb().$type<unknown>(),
    updatedAt: timestamp('updated_at', { withTimezone: true, mode: 'date' }).notNull().defaultNow(),
  }, table => [
    primaryKey({ name: 'replica_pkey', columns: [table.topic, table.entityId] }),
  ])
}

export type ReplicaTable = ReturnType<typeof replicaTable<string>>
