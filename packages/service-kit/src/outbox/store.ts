import { and, asc, eq, inArray, isNull, lt, sql } from 'drizzle-orm'
import type { Db } from '../db/database.ts'
import type { OutboxRow, OutboxTable } from './table.ts'

export interface Backlog {
  size: number
  /** Of the oldest unpublished row; 0 when there is none. */
  oldestAgeSeconds: number
}

export type OutboxStore = ReturnType<typeof createOutboxStore>

export function createOutboxStore (db: Db, table: OutboxTable) {
  const isUnpublished = and(isNull(table.publishedAt), isNull(table.parkedAt))

  const nextRows = db.select().from(table).where(isUnpublished).orderBy(asc(table.id)).limit(sql.placeholder('limit')).prepare('next-events')
  const mark = db.update(table).set({ publishedAt: sql`now()` }).where(sql`${table.id} = any(${sql.placeholder('ids')})`).prepare('mark-events-published')

  return {
    /** Always from the oldest unpublished row: ids are not in order of commit, so no cursor may skip one. */
    async nextBatch (limit: number): Promise<OutboxRow[]> {
      return await nextRows.execute({ limit })
    },
    async markPublished (ids: number[]): Promise<void> {
      await mark.execute({ ids })
    },
    async markRefused (id: number, error: string, isParked: boolean): Promise<void> {
      await db.update(table).set({ attempts: sql`${table.attempts} + 1`, lastError: error, ...(isParked ? { parkedAt: sql`now()` } : {}) }).where(eq(table.id, id))
    },
    async deletePublished (olderThanMs: number): Promise<void> {
      const isOld = lt(table.publishedAt, sql`now() - ${olderThanMs} * interval '1 millisecond'`)
      await db.delete(table).where(inArray(table.id, db.select({ id: table.id }).from(table).where(isOld).limit(5_000)))
    },
    async backlog (): Promise<Backlog> {
      const [row] = await db.select({
        size: sql<number>`count(*)::int`,
        oldestAgeSeconds: sql<number>`coalesce(extract(epoch from now() - min(${table.occurredAt})), 0)::float8`,
      }).from(table).where(isUnpublished)
      return row ?? { size: 0, oldestAgeSeconds: 0 }
    },
  }
}
