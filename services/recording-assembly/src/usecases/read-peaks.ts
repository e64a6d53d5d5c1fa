import { text } from 'node:stream/consumers'
import { coarser, type Waveform } from '@tacet/audio'
import { problem, type Peaks, type Timeline } from '@tacet/contracts'
import type { Scope } from '../domain/access.ts'
import { measureJob } from '../domain/formats.ts'
import { peaksFile, type Recording } from '../domain/recording.ts'
import type { DerivedFiles } from './file-ports.ts'
import { madeByJob } from './made-by-job.ts'
import type { RecordingStore, Recordings } from './ports.ts'
import { finishedGeneration, present } from './read-recording.ts'
import { readTimeline } from './timeline-file.ts'

export interface PeaksDependencies {
  recordings: Pick<Recordings, 'find'>
  store: Pick<RecordingStore, 'read'>
  files: Pick<DerivedFiles, 'find' | 'request'>
  now: () => number
  patienceMs?: number
}

export type ReadPeaks = ReturnType<typeof createReadPeaks>

/** What a player draws: made of the fine waveform beside the master, which a job has left there. */
export function createReadPeaks ({ recordings, store, files, ...patience }: PeaksDependencies) {
  async function finest (recording: Recording, generation: number): Promise<Waveform> {
    await madeByJob({
      look: () => files.find(recording, peaksFile),
      request: () => files.request(recording.recordingId, measureJob),
      what: 'the waveform',
      failure: 'measuring-failed',
      ...patience,
    })
    const kept = JSON.parse(await text(await store.read({ recordingId: recording.recordingId, generation, file: peaksFile })))
    return { ...kept, data: Int16Array.from(kept.data) }
  }

  return async (recordingId: string, scope: Scope, { pixels, bits }: { pixels: number, bits: 8 | 16 }): Promise<Peaks> => {
    const recording = present(await recordings.find(recordingId, scope))
    const generation = finishedGeneration(recording)
    if (recording.sha256 === null) throw problem('recording-not-found', 'there is no audio in this recording')
    const timeline = await readTimeline(store, { recordingId: recording.recordingId, generation })
    const waveform = await finest(recording, generation)
    const width = waveform.channels * 2
    return toPeaks(coarser(waveform, Math.max(1, Math.ceil(waveform.data.length / width / pixels))), timeline, bits)
  }
}

export function toPeaks ({ channels, samplesPerPixel, data }: Waveform, { sampleRateHz, gaps }: Timeline, bits: 8 | 16): Peaks {
  const length = data.length / channels / 2
  return {
    version: 2,
    channels,
    sample_rate: sampleRateHz,
    samples_per_pixel: samplesPerPixel,
    bits,
    length,
    data: Array.from(data, bits === 8 ? value => value >> 8 : value => value),
    gaps: gaps.map(({ atSample, samples, startedAt, durationMs, reasons }) => {
      // Of a call that ended in a pause, the last one: behind it there is nothing to draw at.
      const pixel = Math.min(Math.floor(atSample / samplesPerPixel), length - 1)
      return { pixel, pixels: samples === 0 ? 0 : Math.ceil((atSample + samples) / samplesPerPixel) - pixel, atSample, samples, startedAt, durationMs, reasons }
    }),
  }
}
