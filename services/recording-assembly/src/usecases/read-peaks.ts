import { text } from 'node:stream/consumers'
import { coarser, createWaveform, WAV_HEADER_BYTES, type Waveform } from '@tacet/audio'
import { problem, type Peaks, type Timeline } from '@tacet/contracts'
import type { Scope } from '../domain/access.ts'
import { masterFile, type Recording } from '../domain/recording.ts'
import { DependencyUnavailable } from './errors.ts'
import type { DerivedFiles } from './file-ports.ts'
import type { RecordingStore, Recordings } from './ports.ts'
import { finishedGeneration, present } from './read-recording.ts'
import { readTimeline } from './timeline-file.ts'

export interface PeaksDependencies { recordings: Recordings, store: RecordingStore, files: DerivedFiles }
export type ReadPeaks = ReturnType<typeof createReadPeaks>

export const peaksFile = 'peaks.json'
/** The finest there is, and for how many pixels of each channel at most: of ten hours the finest would be millions of numbers to read for each who looks. */
const SAMPLES_PER_PIXEL = 256
const MAX_PIXELS = 100_000

export function samplesPerPixelOf (samples: number): number {
  let samplesPerPixel = SAMPLES_PER_PIXEL
  while (samples / samplesPerPixel > MAX_PIXELS) samplesPerPixel *= 2
  return samplesPerPixel
}

/** What a player draws. A fine waveform is made when it is first asked for, and kept beside the master; others are made of it. */
export function createReadPeaks ({ recordings, store, files }: PeaksDependencies) {
  const underWay = new Map<string, Promise<Waveform>>()

  async function measure ({ recordingId, samples }: Recording, generation: number, channels: number): Promise<Waveform> {
    const stream = await store.read({ recordingId, generation, file: masterFile })
    const builder = createWaveform({ channels, samplesPerPixel: samplesPerPixelOf(samples ?? 0) })
    let rest = Buffer.alloc(0)
    let toSkip = WAV_HEADER_BYTES
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      const bytes = Buffer.concat([rest, chunk.subarray(Math.min(toSkip, chunk.length))])
      toSkip -= Math.min(toSkip, chunk.length)
      const whole = bytes.length - bytes.length % 2
      // A copy of its own: a view of samples needs an even offset.
      builder.add(new Int16Array(new Uint8Array(bytes.subarray(0, whole)).buffer))
      rest = bytes.subarray(whole)
    }
    return builder.finish()
  }

  async function keep (recording: Recording, generation: number, waveform: Waveform): Promise<void> {
    const name = { recordingId: recording.recordingId, generation, file: peaksFile }
    const { bytes, sha256 } = await store.put(name, async file => await file.writeFile(JSON.stringify({ ...waveform, data: [...waveform.data] })))
    await files.add(recording, { file: peaksFile, bytes, sha256 })
  }

  async function finest (recording: Recording, generation: number, channels: number): Promise<Waveform> {
    if (await files.find(recording, peaksFile) !== null) {
      const kept = JSON.parse(await text(await store.read({ recordingId: recording.recordingId, generation, file: peaksFile })))
      return { ...kept, data: Int16Array.from(kept.data) }
    }
    const waveform = await measure(recording, generation, channels)
    // It can be drawn all the same: another instance may just have put its own there, and what is not kept is made again.
    await keep(recording, generation, waveform).catch(error => { if (!(error instanceof DependencyUnavailable)) throw error })
    return waveform
  }

  /** Whoever asks while it is being made waits for the same one. */
  async function finestOnce (recording: Recording, generation: number, channels: number): Promise<Waveform> {
    const key = `${recording.recordingId}/${generation}`
    const made = underWay.get(key) ?? finest(recording, generation, channels).finally(() => underWay.delete(key))
    underWay.set(key, made)
    return await made
  }

  return async (recordingId: string, scope: Scope, { pixels, bits }: { pixels: number, bits: 8 | 16 }): Promise<Peaks> => {
    const recording = present(await recordings.find(recordingId, scope))
    const generation = finishedGeneration(recording)
    if (recording.sha256 === null) throw problem('recording-not-found', 'there is no audio in this recording')
    const timeline = await readTimeline(store, { recordingId: recording.recordingId, generation })
    const waveform = await finestOnce(recording, generation, timeline.channels)
    const width = waveform.channels * 2
    return toPeaks(coarser(waveform, Math.max(1, Math.ceil(waveform.data.length / width / pixels))), timeline, bits)
  }
}

export function toPeaks ({ channels, samplesPerPixel, data }: Waveform, { sampleRateHz, gaps }: Timeline, bits: 8 | 16): Peaks {
  return {
    version: 2,
    channels,
    sample_rate: sampleRateHz,
    samples_per_pixel: samplesPerPixel,
    bits,
    length: data.length / channels / 2,
    data: Array.from(data, bits === 8 ? value => value >> 8 : value => value),
    gaps: gaps.map(({ atSample, samples, startedAt, durationMs, reasons }) => {
      const pixel = Math.floor(atSample / samplesPerPixel)
      return { pixel, pixels: samples === 0 ? 0 : Math.ceil((atSample + samples) / samplesPerPixel) - pixel, atSample, samples, startedAt, durationMs, reasons }
    }),
  }
}
