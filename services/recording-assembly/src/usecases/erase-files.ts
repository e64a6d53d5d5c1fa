import type { Logger } from '@tacet/service-kit'
import { ownFilesOf } from '../domain/recording.ts'
import type { Copies, Lease, RecordingStore, Recordings, SegmentSource, WorkDirs } from './ports.ts'

interface EraseDependencies {
  recordings: Recordings
  source: SegmentSource
  store: RecordingStore
  workDirs: WorkDirs
  copies: Copies
  logger: Logger
}

/** Deletes what no longer counts; of a deleted recording everything, wherever it may be. Repeated until it is gone, and only then said. */
export function createEraseFiles ({ recordings, source, store, workDirs, copies, logger }: EraseDependencies) {
  return async ({ job, signal }: Lease): Promise<void> => {
    const { recordingId, payload: { upToGeneration = 0, isWhole = false, purged } } = job
    const recording = await recordings.find(recordingId, { kind: 'all' })
    if (recording === null) return await recordings.finish(job)
    const isDeleted = isWhole && recording.deletion !== null
    // Whatever the job says, the version that counts stays until the recording is deleted.
    await store.discard(recordingId, isDeleted || recording.storedGeneration === null ? upToGeneration : Math.min(upToGeneration, recording.storedGeneration - 1))
    if (recording.status === 'failed') await copies.remove(recordingId)
    if (!isDeleted || recording.deletion === null) return await recordings.finish(job, purged && { type: 'recording.purged', data: purged })

    await workDirs.clear(recordingId)
    for (const file of ownFilesOf(recording.manifest)) {
      signal.throwIfAborted()
      await source.remove(file, signal)
    }
    const { cause, at, credentialId, agentId } = recording.deletion
    await recordings.erased(job, { type: 'recording.deleted', data: { cause, orderedAt: at, by: { credentialId, agentId } } })
    logger.info({ recordingId, cause }, 'recording deleted')
  }
}
