import { and, eq, inArray, lte, sql } from 'drizzle-orm'
import type { Db } from '../db/database.ts'
import type { ReplicaEntry } from './entries.ts'
import type { ReplicaTable } from './table.ts'

export function createReplicaStore (db: Db, table: ReplicaTable, topic: string) {
  /** Beside the copy: which messages were put to the dead letters. */
  const refusedTopic = `${topic}#refused`

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
    /** Runs `work` unless it was done for this message before, by whatever instance: of several one works, the others wait for it. */
    async once (refusedId: string, work: () => Promise<void>): Promise<void> {
      await db.transaction(async tx => {
        const fresh = await tx.insert(table).values({ topic: refusedTopic, entityId: refusedId, type: 'refused', version: 0, payload: null }).onConflictDoNothing().returning({ id: table.entityId })
        if (fresh.length > 0) await work()
      })
    },
    async forget (ids: string[]): Promise<void> {
      if (ids.length > 0) await db.delete(table).where(and(eq(table.topic, topic), inArray(table.entityId, ids)))
    },
  }
}

export type ReplicaStore = ReturnType<typeof createReplicaStore>
