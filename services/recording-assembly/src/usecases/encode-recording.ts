import { outputFormatSchema } from '@tacet/contracts'
import type { Logger } from '@tacet/service-kit'
import { fileOfFormat, tagsOf } from '../domain/formats.ts'
import { planAssembly } from '../domain/plan.ts'
import { part } from '../domain/progress.ts'
import type { DerivedFiles, Encoder } from './file-ports.ts'
import { finishedRecording } from './finished-recording.ts'
import { readMaster } from './read-master.ts'
import type { Lease, RecordingStore, Recordings } from './ports.ts'

export interface EncodeDependencies {
  recordings: Recordings
  store: RecordingStore
  files: DerivedFiles
  encoder: Encoder
  logger: Logger
  now: () => number
}

/** Makes a recording in another format, beside its master. Repeated, it does nothing or all of it again. */
export function createEncodeRecording ({ recordings, store, files, encoder, logger, now }: EncodeDependencies) {
  return async ({ job, signal, confirm, tell }: Lease): Promise<void> => {
    const { recordingId } = job
    const format = outputFormatSchema.parse(job.item)
    const recording = await finishedRecording(recordings, job)
    if (recording === null || await files.find(recording, fileOfFormat(format)) !== null) return await recordings.finish(job)

    const generation = recording.storedGeneration
    const name = { recordingId, generation, file: fileOfFormat(format) }
    const plan = planAssembly(recording.manifest)
    const startedMs = now()
    const { bytes, sha256 } = await store.put(name, async (_file, output) => {
      await encoder.encode({
        input: await readMaster(store, recording),
        output,
        format,
        channels: plan.kind === 'assembly' ? plan.channels : 1,
        durationMs: recording.durationMs ?? 0,
        tags: tagsOf(recording.manifest),
        signal,
        onProgress: part(tell, 0, 0.8),
      })
    }, { signal, confirm, onProgress: part(tell, 0.8, 1) })
    if (!await files.add(recording, { file: name.file, bytes, sha256 }, job)) return
    logger.info({ recordingId, format, bytes, tookMs: now() - startedMs }, 'recording encoded')
  }
}
