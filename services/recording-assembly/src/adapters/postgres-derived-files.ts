import { and, eq, isNull } from 'drizzle-orm'
import type { Database } from '@tacet/service-kit'
import { files, jobs, recordings } from '../db/schema.ts'
import type { DerivedFiles } from '../usecases/file-ports.ts'
import { endJob, newJobRow } from './postgres-jobs.ts'

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
      return await db.transaction(async tx => {
        if (job !== undefined) await endJob(tx, job)
        const counts = and(eq(recordings.recordingId, recordingId), eq(recordings.storedGeneration, storedGeneration), isNull(recordings.deletedAt), isNull(recordings.purge))
        const [row] = await tx.select({ recordingId: recordings.recordingId }).from(recordings).where(counts).for('update')
        if (row === undefined) return false
        const { bytes, sha256 } = file
        await tx.insert(files).values({ recordingId, generation: storedGeneration, ...file })
          .onConflictDoUpdate({ target: [files.recordingId, files.generation, files.file], set: { bytes, sha256 } })
        return true
      })
    },

    async request (recordingId, job) {
      const { kind, item = '' } = job
      const { isNew, ...found } = await db.transaction(async tx => {
        const [recording] = await tx.select({ companyId: recordings.companyId }).from(recordings).where(eq(recordings.recordingId, recordingId))
        if (recording === undefined) throw new Error(`recording ${recordingId} is gone`)
        const added = await tx.insert(jobs).values(newJobRow(job, { recordingId, companyId: recording.companyId, correlationId: null })).onConflictDoNothing().returning({ jobId: jobs.jobId })
        const [row] = await tx.select({ state: jobs.state, progress: jobs.progress, lastError: jobs.lastError }).from(jobs)
          .where(and(eq(jobs.recordingId, recordingId), eq(jobs.kind, kind), eq(jobs.item, item)))
        return { isNew: added.length > 0, ...row ?? { state: 'running' as const, progress: null, lastError: null } }
      })
      if (isNew) onJob()
      return found
    },
  }
}
