import type { Logger } from '@tacet/service-kit'
import { ownFilesOf } from '../domain/recording.ts'
import { NotYet } from './errors.ts'
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
    const { recordingId, payload: { upToGeneration = 0, isWhole = false, files = [], purged } } = job
    const recording = await recordings.find(recordingId, { kind: 'all' })
    if (recording === null) return await recordings.finish(job)
    const isDeleted = recording.deletion !== null
    // What is at work may put a file where this has been already; nothing else begins once the recording is deleted.
    if (isDeleted && await recordings.isWorkedOn(recordingId)) throw new NotYet('something is still being made of the recording')
    // Whatever the job says, the version that counts stays until the recording is deleted.
    await store.discard(recordingId, upToGeneration, isDeleted || recording.storedGeneration === null ? {} : { keep: recording.storedGeneration })
    if (recording.status === 'failed') await copies.remove(recordingId)
    const isOfDeletion = isWhole && recording.deletion !== null
    if (isOfDeletion) await workDirs.clear(recordingId)
    for (const file of isOfDeletion ? ownFilesOf(recording.manifest) : files) {
      signal.throwIfAborted()
      await source.remove(file, signal)
    }
    // Of what is deleted nobody is told afterwards that there is a new version.
    if (!isWhole || recording.deletion === null) return await recordings.finish(job, purged && !isDeleted ? { type: 'recording.purged', data: purged } : undefined)

    const { cause, at, credentialId, agentId } = recording.deletion
    await recordings.erased(job, { type: 'recording.deleted', data: { cause, orderedAt: at, by: { credentialId, agentId } } })
    logger.info({ recordingId, cause }, 'recording deleted')
  }
}
