import { randomBytes } from 'node:crypto'
import { and, eq, gt, inArray, lte, ne, or, sql } from 'drizzle-orm'
import type { Database } from '@tacet/service-kit'
import { dataKeys, recordings } from '../db/schema.ts'
import { unwrapKey, wrapKey, type MasterKey, type WrappedKey } from '../domain/envelope.ts'
import { DependencyUnavailable, LeaseLost } from '../usecases/errors.ts'
import type { Generation, WrappedKeys } from '../usecases/rewrap-keys.ts'

export interface DataKeys extends WrappedKeys {
  /** Whether new generations get a key. */
  isOn: boolean
  find (generation: Generation): Promise<Buffer | null>
  /** Makes the key of a generation that is being begun. Throws LeaseLost when that can't count any more: what was made unreadable stays so. */
  make (generation: Generation): Promise<void>
  /** Makes the generations up to this one unreadable for ever, but for one to keep. */
  destroy (generation: Generation, keep?: number): Promise<void>
}

const contextOf = ({ recordingId, generation }: Generation): string => `${recordingId}:${generation}`

/** A key for each generation of a recording, wrapped by a master key. The first of those wraps, all unwrap. */
export function createDataKeys ({ database: { db }, masterKeys }: { database: Database, masterKeys: readonly MasterKey[] }): DataKeys {
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

  /** Null when the master key of that name is not the one that wrapped it. */
  function unwrapped (row: WrappedKey & Generation): Buffer | null {
    try {
      return unwrap(row, row)
    } catch {
      return null
    }
  }

  return {
    isOn: masterKeys.length > 0,
    find,
    async make ({ recordingId, generation }) {
      const [masterKey] = masterKeys
      if (masterKey === undefined) throw new Error('there is no master key')
      await db.transaction(async tx => {
        const [recording] = await tx.select({ generation: recordings.generation, deletedAt: recordings.deletedAt }).from(recordings).where(eq(recordings.recordingId, recordingId)).for('share')
        if (recording !== undefined && (recording.deletedAt !== null || recording.generation > generation)) throw new LeaseLost()
        await tx.insert(dataKeys).values({ recordingId, generation, ...wrapKey(randomBytes(32), contextOf({ recordingId, generation }), masterKey) }).onConflictDoNothing()
      })
    },
    async destroy ({ recordingId, generation }, keep) {
      await db.delete(dataKeys).where(and(eq(dataKeys.recordingId, recordingId), lte(dataKeys.generation, generation), keep === undefined ? undefined : ne(dataKeys.generation, keep)))
    },
    async rewrap (limit, after) {
      const [masterKey, ...others] = masterKeys
      if (masterKey === undefined || others.length === 0) return { rewrapped: 0, unreadable: 0, next: null }
      return await db.transaction(async tx => {
        const isNext = after === undefined ? undefined : or(gt(dataKeys.recordingId, after.recordingId), and(eq(dataKeys.recordingId, after.recordingId), gt(dataKeys.generation, after.generation)))
        const rows = await tx.select().from(dataKeys).where(and(inArray(dataKeys.masterKeyId, others.map(({ id }) => id)), isNext))
          .orderBy(dataKeys.recordingId, dataKeys.generation).limit(limit).for('update', { skipLocked: true })
        let rewrapped = 0
        for (const row of rows) {
          const key = unwrapped(row)
          if (key === null) continue
          await tx.update(dataKeys).set(wrapKey(key, contextOf(row), masterKey)).where(of(row))
          rewrapped++
        }
        return { rewrapped, unreadable: rows.length - rewrapped, next: rows.length === limit ? rows.at(-1) ?? null : null }
      })
    },
    async counts () {
      const rows = await db.select({ masterKeyId: dataKeys.masterKeyId, count: sql<number>`count(*)::int` }).from(dataKeys).groupBy(dataKeys.masterKeyId)
      return rows.map(({ masterKeyId, count }) => ({ masterKeyId, isConfigured: masterKeys.some(({ id }) => id === masterKeyId), count }))
    },
  }
}
