import { outputFormatSchema } from '@tacet/contracts'
import type { Logger } from '@tacet/service-kit'
import { fileOfFormat, tagsOf } from '../domain/formats.ts'
import { planAssembly } from '../domain/plan.ts'
import { masterFile } from '../domain/recording.ts'
import type { DerivedFiles, Encoder } from './file-ports.ts'
import type { Lease, RecordingStore, Recordings } from './ports.ts'

export interface EncodeDependencies {
  recordings: Recordings
  store: RecordingStore
  files: DerivedFiles
  encoder: Encoder
  logger: Logger
  now: () => number
}

/** How often somebody who waits hears how far it is, and how often the log does. */
const TELL_MS = 1_000
const LOG_MS = 10_000

/** Makes a recording in another format, beside its master. Repeated, it does nothing or all of it again. */
export function createEncodeRecording ({ recordings, store, files, encoder, logger, now }: EncodeDependencies) {
  return async ({ job, signal, confirm }: Lease): Promise<void> => {
    const { recordingId } = job
    const format = outputFormatSchema.parse(job.item)
    const recording = await recordings.find(recordingId, { kind: 'all' })
    const isThere = recording !== null && recording.deletedAt === null && recording.purge === null && recording.storedGeneration !== null && recording.sha256 !== null
    if (!isThere || await files.find(recording, fileOfFormat(format)) !== null) return await recordings.finish(job)

    const generation = recording.storedGeneration!
    const name = { recordingId, generation, file: fileOfFormat(format) }
    const plan = planAssembly(recording.manifest)
    const startedMs = now()
    const onProgress = tell(progress => {
      files.noteProgress(job, progress).catch(err => logger.warn({ err, recordingId }, 'progress not noted'))
    }, progress => logger.info({ recordingId, format, progress }, 'recording is being encoded'))
    const { bytes, sha256 } = await store.put(name, async (_file, output) => {
      await encoder.encode({
        input: await store.read({ recordingId, generation, file: masterFile }),
        output,
        format,
        channels: plan.kind === 'assembly' ? plan.channels : 1,
        durationMs: recording.durationMs ?? 0,
        tags: tagsOf(recording.manifest),
        signal,
        onProgress,
      })
    }, { signal, confirm })
    const counts = await files.add(recording, { file: name.file, bytes, sha256 }, job)
    if (!counts) return await store.remove(name)
    logger.info({ recordingId, format, bytes, tookMs: now() - startedMs }, 'recording encoded')
  }

  function tell (note: (progress: number) => void, log: (progress: number) => void): (progress: number) => void {
    let [toldMs, loggedMs] = [now(), now()]
    return progress => {
      if (now() - toldMs < TELL_MS) return
      toldMs = now()
      note(progress)
      if (now() - loggedMs < LOG_MS) return
      loggedMs = now()
      log(Math.round(progress * 100) / 100)
    }
  }
}
