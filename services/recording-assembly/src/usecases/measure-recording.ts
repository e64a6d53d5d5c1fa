import { createHash } from 'node:crypto'
import { createWaveform, WAV_HEADER_BYTES, type Waveform } from '@tacet/audio'
import type { Logger } from '@tacet/service-kit'
import { part, type Tell } from '../domain/progress.ts'
import { peaksFile } from '../domain/recording.ts'
import type { DerivedFiles } from './file-ports.ts'
import { finishedRecording } from './finished-recording.ts'
import type { Lease, RecordingStore, Recordings } from './ports.ts'
import { readMaster } from './read-master.ts'
import { readTimeline } from './timeline-file.ts'

export interface MeasureDependencies {
  recordings: Recordings
  store: RecordingStore
  files: DerivedFiles
  logger: Logger
  now: () => number
}

/** The finest there is, and for how many pixels of each channel at most: of ten hours the finest would be millions of numbers to read for each who looks. */
const SAMPLES_PER_PIXEL = 256
const MAX_PIXELS = 100_000
const BLOCK_LENGTH = 128 * 1024

export function samplesPerPixelOf (samples: number): number {
  let samplesPerPixel = SAMPLES_PER_PIXEL
  while (samples / samplesPerPixel > MAX_PIXELS) samplesPerPixel *= 2
  return samplesPerPixel
}

/** Reads a master once for what exports and players ask for: its waveform, kept beside it, and its SHA-512. Repeated, it does all of it again. */
export function createMeasureRecording ({ recordings, store, files, logger, now }: MeasureDependencies) {
  return async ({ job, signal, confirm, tell }: Lease): Promise<void> => {
    const recording = await finishedRecording(recordings, job)
    if (recording === null || (recording.sha512 !== null && await files.find(recording, peaksFile) !== null)) return await recordings.finish(job)

    const { recordingId, storedGeneration: generation } = recording
    const startedMs = now()
    const { channels, samples } = await readTimeline(store, { recordingId, generation })
    const { waveform, sha512 } = await measure(await readMaster(store, recording), { channels, samplesPerPixel: samplesPerPixelOf(samples), signal, onBytes: bytes => part(tell, 0, 0.8)(bytes / (recording.bytes ?? Infinity)) })
    const { bytes, sha256 } = await store.put({ recordingId, generation, file: peaksFile },
      async file => await file.writeFile(JSON.stringify({ ...waveform, data: [...waveform.data] })), { signal, confirm, onProgress: part(tell, 0.8, 1) })
    await recordings.noteSha512(recording, sha512)
    if (!await files.add(recording, { file: peaksFile, bytes, sha256 }, job)) return
    logger.info({ recordingId, tookMs: now() - startedMs }, 'recording measured')
  }
}

interface MeasureOptions { channels: number, samplesPerPixel: number, signal: AbortSignal, onBytes: Tell }

/** The waveform of a whole WAV, and the SHA-512 of its bytes in base64url: the draft of vCon asks for that; ours is SHA-256. */
export async function measure (wav: AsyncIterable<Buffer>, { channels, samplesPerPixel, signal, onBytes }: MeasureOptions): Promise<{ waveform: Waveform, sha512: string }> {
  const hash = createHash('sha512')
  const builder = createWaveform({ channels, samplesPerPixel })
  // A view of samples needs an even offset, which a chunk need not have.
  const samples = new Int16Array(BLOCK_LENGTH)
  const block = Buffer.from(samples.buffer)
  let [position, filled] = [0, 0]
  for await (const chunk of wav) {
    signal.throwIfAborted()
    hash.update(chunk)
    for (let done = Math.max(0, WAV_HEADER_BYTES - position); done < chunk.length;) {
      const copied = chunk.copy(block, filled, done)
      done += copied
      filled += copied
      builder.add(samples.subarray(0, filled >> 1))
      // Half a sample waits for the rest of it.
      block.copyWithin(0, filled - filled % 2, filled)
      filled %= 2
    }
    position += chunk.length
    onBytes(position)
  }
  return { waveform: builder.finish(), sha512: hash.digest('base64url') }
}
