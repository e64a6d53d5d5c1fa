import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { Database, Executor } from '@tacet/service-kit'
import { and, eq, lt, ne, sql } from 'drizzle-orm'
import { copies, jobs, recordings } from '../db/schema.ts'
import { DependencyUnavailable } from '../usecases/errors.ts'
import type { Copies } from '../usecases/ports.ts'
import { digestOfFile } from './digest.ts'
import { endJob, newJobRow } from './postgres-jobs.ts'

/** Below the recordings, beside the folders of work: `<recordingId>.ahead.<segment>`. */
export function createAheadCopies ({ database: { db }, recordingsDir }: { database: Database, recordingsDir: string }): Copies {
  const root = join(recordingsDir, '.work')
  const prefixOf = (recordingId: string): string => `${recordingId.toLowerCase()}.ahead.`
  const folderOf = (recordingId: string, segment: number): string => join(root, `${prefixOf(recordingId)}${segment}`)
  const hasEnded = async (executor: Executor, recordingId: string): Promise<boolean> =>
    (await executor.select({ recordingId: recordings.recordingId }).from(recordings).where(eq(recordings.recordingId, recordingId))).length > 0

  return {
    async request (tx, { callId, ...of }, segment) {
      if (await hasEnded(tx, of.recordingId)) return false
      await tx.insert(jobs).values(newJobRow({ kind: 'check', item: String(segment.number), payload: { callId, segment } }, of)).onConflictDoNothing()
      return true
    },
    isWanted: async recordingId => !await hasEnded(db, recordingId),
    async create (recordingId, segment) {
      const folder = folderOf(recordingId, segment)
      try {
        await rm(folder, { recursive: true, force: true })
        await mkdir(folder, { recursive: true })
        // A name of its own, so that an attempt that has lost its lease can't write into ours.
        return await mkdtemp(join(folder, 'attempt-'))
      } catch (error) {
        throw new DependencyUnavailable('store', 'no room for copies of segments', error)
      }
    },
    async keep (job, files) {
      const digested = await Promise.all(files.map(async ({ name, path }) => ({ name, path: relative(root, path), ...await digestOfFile(path) })))
      return await db.transaction(async tx => {
        if (await hasEnded(tx, job.recordingId)) return false
        await endJob(tx, job)
        for (const copy of digested) {
          await tx.insert(copies).values({ recordingId: job.recordingId, ...copy })
            .onConflictDoUpdate({ target: [copies.recordingId, copies.name], set: { ...copy, createdAt: sql`now()` } })
        }
        return true
      })
    },
    async open (recordingId) {
      const rows = await db.select().from(copies).where(eq(copies.recordingId, recordingId))
      const known = new Map(rows.map(row => [row.name, row]))
      return async ({ name }, signal) => {
        const copy = known.get(name)
        if (copy === undefined) return null
        const path = join(root, copy.path)
        const found = await digestOfFile(path, signal).catch(() => null)
        signal.throwIfAborted()
        return found !== null && found.bytes === copy.bytes && found.sha256 === copy.sha256 ? path : null
      }
    },
    async remove (recordingId, segment) {
      if (segment !== undefined) return await rm(folderOf(recordingId, segment), { recursive: true, force: true })
      const names = await readdir(root).catch(() => [])
      for (const name of names.filter(name => name.startsWith(prefixOf(recordingId)))) await rm(join(root, name), { recursive: true, force: true })
    },
    async forget (olderThanMs) {
      await db.delete(copies).where(lt(copies.createdAt, sql`now() - ${olderThanMs} * interval '1 millisecond'`))
      await db.delete(jobs).where(and(eq(jobs.kind, 'check'), ne(jobs.state, 'running'), lt(jobs.createdAt, sql`now() - ${olderThanMs} * interval '1 millisecond'`)))
    },
  }
}
