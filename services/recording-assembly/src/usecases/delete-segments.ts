import type { Logger } from '@tacet/service-kit'
import type { Lease, Recordings, SegmentSource } from './ports.ts'

/** Deletes from the PBX what is safely in the recording. Repeated until every file is gone. */
export function createDeleteSegments ({ recordings, source, logger }: { recordings: Recordings, source: SegmentSource, logger: Logger }) {
  return async ({ job, signal }: Lease): Promise<void> => {
    const files = job.payload.files ?? []
    for (const file of files) {
      signal.throwIfAborted()
      await source.remove(file, signal)
    }
    await recordings.finish(job)
    logger.debug({ recordingId: job.recordingId, files: files.length }, 'segments deleted from the PBX')
  }
}
