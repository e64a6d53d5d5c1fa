import { and, eq, sql } from 'drizzle-orm'
import type { Database } from '@tacet/service-kit'
import { v7 as uuidv7 } from 'uuid'
import { files, jobs, recordings } from '../db/schema.ts'
import { eraseStray } from '../domain/jobs.ts'
import type { DerivedFiles } from '../usecases/file-ports.ts'
import { dropJob, endJob, newJobRow, requeueJob } from './postgres-jobs.ts'

export function createDerivedFiles ({ database: { db }, onJob }: { database: Database, onJob: () => void }): DerivedFiles {
  return {
    async find ({ recordingId, storedGeneration }, file) {
      if (storedGeneration === null) return null
      const [row] = await db.select({ file: files.file, bytes: files.bytes, sha256: files.sha256 }).from(files)
        .where(and(eq(files.recordingId, recordingId), eq(files.generation, storedGeneration), eq(files.file, file)))
      return row ?? null
    },

    async add ({ recordingId, storedGeneration }, file, job) {
      if (storedGeneration === null) return false
      const counts = await db.transaction(async tx => {
        const [row] = await tx.select().from(recordings).where(eq(recordings.recordingId, recordingId)).for('update')
        const isThere = row !== undefined && row.deletedAt === null
        const isOfVersion = isThere && row.storedGeneration === storedGeneration
        if (!isOfVersion || row.purge !== null) {
          // While it is being cut the file goes with its generation, or is made again if the cut is called off.
          if (row !== undefined && !isOfVersion) await tx.insert(jobs).values(newJobRow(eraseStray(storedGeneration, uuidv7()), { recordingId, companyId: row.companyId, correlationId: null }))
          await (isThere ? requeueJob(tx, job) : dropJob(tx, job))
          return false
        }
        await endJob(tx, job)
        const { bytes, sha256 } = file
        await tx.insert(files).values({ recordingId, generation: storedGeneration, ...file })
          .onConflictDoUpdate({ target: [files.recordingId, files.generation, files.file], set: { bytes, sha256 } })
        return true
      })
      if (!counts) onJob()
      return counts
    },

    async request (recordingId, job) {
      const { kind, item = '' } = job
      const { isDue, ...found } = await db.transaction(async tx => {
        const [recording] = await tx.select({ companyId: recordings.companyId }).from(recordings).where(eq(recordings.recordingId, recordingId))
        if (recording === undefined) throw new Error(`recording ${recordingId} is gone`)
        // One that would come later by itself comes now, but not one that waits for something that is away.
        const isUntried = sql`${jobs.state} = 'waiting' and ${jobs.attempts} = 0 and ${jobs.postponements} = 0 and ${jobs.runAt} > now()`
        const due = await tx.insert(jobs).values(newJobRow(job, { recordingId, companyId: recording.companyId, correlationId: null }))
          .onConflictDoUpdate({ target: [jobs.recordingId, jobs.kind, jobs.item], set: { runAt: sql`now()` }, setWhere: isUntried }).returning({ jobId: jobs.jobId })
        const [row] = await tx.select({ state: jobs.state, progress: jobs.progress, lastError: jobs.lastError }).from(jobs)
          .where(and(eq(jobs.recordingId, recordingId), eq(jobs.kind, kind), eq(jobs.item, item)))
        return { isDue: due.length > 0, ...row ?? { state: 'running' as const, progress: null, lastError: null } }
      })
      if (isDue) onJob()
      return found
    },
  }
}
