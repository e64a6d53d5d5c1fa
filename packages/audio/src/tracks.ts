import type { FileHandle } from 'node:fs/promises'
import { open } from 'node:fs/promises'
import { readFully } from './riff.ts'
import { applyFades, fadeSamples, type Fades } from './shape.ts'
import { StitchError } from './stitch-error.ts'
import type { StitchSegment, StitchTrack } from './stitch.ts'
import { bytesPerSample } from './wav.ts'

export type TrackReader = {
  /** Fills the block with the samples from `start` on, interleaved. */
  read (block: Int16Array, start: number): Promise<void>
  close (): Promise<void>
}

const trackSamples = ({ wav, fromSample = 0, samples = wav.samples - fromSample }: StitchTrack): number => samples
/** Per channel, silence before and after a track included. */
export const segmentSamples = ({ tracks }: StitchSegment): number => Math.max(...tracks.map(track => (track.leadSamples ?? 0) + trackSamples(track)))

/** A track that begins later or ends earlier than the other does so in mid-word: those ends are faded as joins are. */
export function trackFades (segment: StitchSegment): Fades[] {
  const whole = segmentSamples(segment)
  return segment.tracks.map(track => {
    const [samples, leadSamples] = [trackSamples(track), track.leadSamples ?? 0]
    const most = fadeSamples(samples, track.wav.format.sampleRateHz)
    return { samples, fadeInSamples: leadSamples > 0 ? most : 0, fadeOutSamples: leadSamples + samples < whole ? most : 0 }
  })
}

/** Reads the tracks of a segment as if they were one file. Throws StitchError when a file is not what it was. */
export async function openTracks (segment: StitchSegment): Promise<TrackReader> {
  const { tracks: [one, other] } = segment
  const [fades, otherFades] = trackFades(segment)
  const left = await openTrack(one, fades!)
  if (other === undefined) return left
  try {
    return interleave(left, await openTrack(other, otherFades!))
  } catch (error) {
    await left.close()
    throw error
  }
}

async function openTrack ({ path, wav, leadSamples = 0, fromSample = 0 }: StitchTrack, fades: Fades): Promise<TrackReader> {
  const { samples } = fades
  const { channels } = wav.format
  const sampleBytes = bytesPerSample(wav.format)
  const file = await open(path).catch(cause => { throw unreadable(path, 'cannot be opened', cause) })
  return {
    async read (block, start) {
      const count = block.length / channels
      const from = Math.min(count, Math.max(0, leadSamples - start))
      const to = Math.max(from, Math.min(count, leadSamples + samples - start))
      block.fill(0, 0, from * channels).fill(0, to * channels)
      if (to === from) return
      const heard = block.subarray(from * channels, to * channels)
      const first = start + from - leadSamples
      await readSamples(file, heard, wav.dataOffset + (fromSample + first) * sampleBytes, path)
      applyFades(heard, channels, first, fades)
    },
    close: () => file.close(),
  }
}

async function readSamples (file: FileHandle, samples: Int16Array, position: number, path: string): Promise<void> {
  const bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength)
  const bytesRead = await readFully(file, bytes, position).catch(cause => { throw unreadable(path, 'cannot be read', cause) })
  if (bytesRead < bytes.length) throw unreadable(path, 'has become shorter since it was measured')
}

function interleave (left: TrackReader, right: TrackReader): TrackReader {
  let room = new Int16Array(0)
  return {
    async read (block, start) {
      const count = block.length / 2
      if (room.length < block.length) room = new Int16Array(block.length)
      const [one, other] = [room.subarray(0, count), room.subarray(count, 2 * count)]
      await Promise.all([left.read(one, start), right.read(other, start)])
      for (let i = 0; i < count; i++) {
        block[2 * i] = one[i]!
        block[2 * i + 1] = other[i]!
      }
    },
    async close () {
      await Promise.all([left.close(), right.close()])
    },
  }
}

function unreadable (path: string, what: string, cause?: unknown): StitchError {
  return new StitchError('segment-unreadable', `segment ${path} ${what}`, { segmentPath: path, cause })
}
