import { randomBytes } from 'node:crypto'
import { and, eq, lte, ne, sql } from 'drizzle-orm'
import type { Database } from '@tacet/service-kit'
import { dataKeys } from '../db/schema.ts'
import { unwrapKey, wrapKey, type MasterKey, type WrappedKey } from '../domain/envelope.ts'
import { DependencyUnavailable } from '../usecases/errors.ts'

export interface Generation { recordingId: string, generation: number }
export type DataKeys = ReturnType<typeof createDataKeys>

const contextOf = ({ recordingId, generation }: Generation): string => `${recordingId}:${generation}`

/** A key for each generation of a recording, wrapped by a master key. The first of those wraps, all unwrap. */
export function createDataKeys ({ database: { db }, masterKeys }: { database: Database, masterKeys: readonly MasterKey[] }) {
  const of = ({ recordingId, generation }: Generation) => and(eq(dataKeys.recordingId, recordingId), eq(dataKeys.generation, generation))

  function unwrap (wrapped: WrappedKey, generation: Generation): Buffer {
    const masterKey = masterKeys.find(({ id }) => id === wrapped.masterKeyId)
    if (masterKey === undefined) throw new DependencyUnavailable('store', `the master key ${wrapped.masterKeyId} is not configured`)
    return unwrapKey(wrapped, contextOf(generation), masterKey)
  }

  async function find (generation: Generation): Promise<Buffer | null> {
    const [row] = await db.select().from(dataKeys).where(of(generation))
    return row === undefined ? null : unwrap(row, generation)
  }

  return {
    isOn: masterKeys.length > 0,
    find,
    /** The key of this generation, made when there is none. */
    async provide (generation: Generation): Promise<Buffer> {
      const [masterKey] = masterKeys
      if (masterKey === undefined) throw new Error('there is no master key')
      await db.insert(dataKeys).values({ ...generation, ...wrapKey(randomBytes(32), contextOf(generation), masterKey) }).onConflictDoNothing()
      const key = await find(generation)
      if (key === null) throw new DependencyUnavailable('store', 'the key of this generation is gone')
      return key
    },
    /** Makes the generations up to this one unreadable for ever, but for one to keep. */
    async destroy ({ recordingId, generation }: Generation, keep?: number): Promise<void> {
      await db.delete(dataKeys).where(and(eq(dataKeys.recordingId, recordingId), lte(dataKeys.generation, generation), keep === undefined ? undefined : ne(dataKeys.generation, keep)))
    },
    /** Wraps by the first master key what another one wrapped; returns how many were. The files stay as they are. */
    async rewrap (limit: number): Promise<number> {
      const [masterKey] = masterKeys
      if (masterKey === undefined) return 0
      return await db.transaction(async tx => {
        const rows = await tx.select().from(dataKeys).where(ne(dataKeys.masterKeyId, masterKey.id)).limit(limit).for('update', { skipLocked: true })
        for (const row of rows) await tx.update(dataKeys).set(wrapKey(unwrap(row, row), contextOf(row), masterKey)).where(of(row))
        return rows.length
      })
    },
    /** By master key, how many keys it wraps. */
    async counts (): Promise<{ masterKeyId: string, count: number }[]> {
      return await db.select({ masterKeyId: dataKeys.masterKeyId, count: sql<number>`count(*)::int` }).from(dataKeys).groupBy(dataKeys.masterKeyId)
    },
  }
}
