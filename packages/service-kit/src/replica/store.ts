import { and, eq, inArray, lte, sql } from 'drizzle-orm'
import type { Db } from '../db/database.ts'
import type { ReplicaEntry } from './entries.ts'
import type { ReplicaTable } from './table.ts'

export function createReplicaStore (db: Db, table: ReplicaTable, topic: string) {
  return {
    async load (): Promise<{ entries: ReplicaEntry[], updatedAt: Date | undefined }> {
      const rows = await db.select().from(table).where(eq(table.topic, topic))
      const times = rows.map(({ updatedAt }) => updatedAt.getTime())
      return {
        entries: rows.map(({ type, entityId, version, payload }) => ({ type, id: entityId, version, data: payload as object | null })),
        updatedAt: times.length === 0 ? undefined : new Date(Math.max(...times)),
      }
    },
    /** Several instances share the rows: an older version never replaces a newer one. */
    async save (entries: ReplicaEntry[]): Promise<void> {
      if (entries.length === 0) return
      await db.insert(table)
        .values(entries.map(({ type, id, version, data }) => ({ topic, entityId: id, type, version, payload: data, updatedAt: sql`now()` })))
        .onConflictDoUpdate({
          target: [table.topic, table.entityId],
          set: { type: sql`excluded.type`, version: sql`excluded.version`, payload: sql`excluded.payload`, updatedAt: sql`now()` },
          setWhere: lte(table.version, sql`excluded.version`),
        })
    },
    async forget (ids: string[]): Promise<void> {
      if (ids.length > 0) await db.delete(table).where(and(eq(table.topic, topic), inArray(table.entityId, ids)))
    },
  }
}

export type ReplicaStore = ReturnType<typeof createReplicaStore>
