import type { FileHandle } from 'node:fs/promises'
import { createHashingWriter, type HashingWriter } from './hashing-writer.ts'
import { layOut, type Layout } from './layout.ts'
import { applyFades, toneOf } from './shape.ts'
import { StitchError } from './stitch-error.ts'
import { openTracks, segmentSamples } from './tracks.ts'
import { MAX_WAV_DATA_BYTES, WAV_HEADER_BYTES, bytesPerSample, wavHeader } from './wav.ts'
import type { Wav, WavFormat } from './wav.ts'

/** A file, or samples [fromSample, fromSample + samples) of it, after `leadSamples` of silence because it began later than the other track. */
export type StitchTrack = { path: string, wav: Wav, fromSample?: number, samples?: number, leadSamples?: number }

/** One track is copied with the channels it has; two of one channel each become left and right, and the shorter one is filled up with silence. */
export type StitchSegment = { tracks: [StitchTrack] | [StitchTrack, StitchTrack] }

export type StitchOptions = {
  /** null: nothing to hear. */
  segments: (StitchSegment | null)[]
  /** Of just these segments; by default they are joined one right after the other. */
  layout?: Layout
  /** A new, empty file; written from position 0, neither synced nor closed. */
  output: FileHandle
  /** Reads all that it has written once more, so that the digest is also of what is read from the output; that must be open for it. */
  isReadBack?: boolean
  signal?: AbortSignal
  /** How much is written, 0 to 1 and in bytes; called for every block. */
  onProgress?: (progress: number, bytes: number) => void
}

/** `samples` counts per channel. */
export type Stitched = { format: WavFormat, samples: number, fileBytes: number, sha256: string, layout: Layout }

/**
 * Joins segments into one WAV, sample for sample but for the fades, in a few fixed buffers; the digest is of the
 * bytes written. Throws StitchError, the signal's reason, or the I/O error of the output as it comes (ENOSPC …).
 */
export async function stitch ({ segments, output, isReadBack = false, signal, onProgress, layout: given }: StitchOptions): Promise<Stitched> {
  const format = formatOf(segments)
  const layout = given ?? joined(segments, format)
  const dataBytes = layout.samples * bytesPerSample(format)
  if (dataBytes > MAX_WAV_DATA_BYTES) throw new StitchError('too-large', `${layout.samples} samples are more than a WAV can hold`)

  const writer = createHashingWriter(output, { isReadBack, onBytes: bytes => onProgress?.(bytes / (WAV_HEADER_BYTES + dataBytes), bytes) })
  try {
    await writer.write(wavHeader(format, dataBytes))
    for (const stretch of stretchesOf(layout)) {
      signal?.throwIfAborted()
      if (stretch.kind === 'segment') await copySegment(segments[stretch.index]!, layout.segments[stretch.index]!, { format, writer, signal })
      else await writeFill(stretch.kind, stretch.samples, { format, writer, signal })
    }
  } finally {
    await writer.settle()
  }
  return { format, samples: layout.samples, fileBytes: WAV_HEADER_BYTES + dataBytes, sha256: await writer.digest(), layout }
}

type Target = { format: WavFormat, writer: HashingWriter, signal: AbortSignal | undefined }
type Stretch = { kind: 'segment', offsetSamples: number, index: number } | { kind: 'silence' | 'tone', offsetSamples: number, samples: number }

function stretchesOf ({ segments, fills }: Layout): Stretch[] {
  const audible = segments.flatMap(({ offsetSamples, samples }, index): Stretch[] => samples > 0 ? [{ kind: 'segment', offsetSamples, index }] : [])
  return [...audible, ...fills].sort((a, b) => a.offsetSamples - b.offsetSamples)
}

function joined (segments: StitchOptions['segments'], { sampleRateHz }: WavFormat): Layout {
  return layOut({ sampleRateHz, mode: 'remove', gaps: [], segments: segments.map(segment => ({ samples: segment === null ? 0 : segmentSamples(segment), requestedAtMs: 0, startedAtMs: 0 })) })
}

async function copySegment (segment: StitchSegment, placed: Layout['segments'][number], { format, writer, signal }: Target): Promise<void> {
  if (segmentSamples(segment) !== placed.samples) throw new RangeError(`a segment of ${segmentSamples(segment)} samples was laid out as ${placed.samples}`)
  const { channels } = format
  const tracks = await openTracks(segment)
  try {
    for (let done = 0; done < placed.samples;) {
      signal?.throwIfAborted()
      const block = writer.spare((placed.samples - done) * channels)
      await tracks.read(block, done)
      applyFades(block, channels, done, placed)
      await writer.write(block)
      done += block.length / channels
    }
  } finally {
    await tracks.close()
  }
}

async function writeFill (kind: 'silence' | 'tone', samples: number, { format: { channels, sampleRateHz }, writer, signal }: Target): Promise<void> {
  if (kind === 'tone') return await writer.write(toneOf(samples, sampleRateHz, channels))
  for (let done = 0; done < samples;) {
    signal?.throwIfAborted()
    const block = writer.spare((samples - done) * channels).fill(0)
    await writer.write(block)
    done += block.length / channels
  }
}

function formatOf (segments: StitchOptions['segments']): WavFormat {
  const formats = segments.filter(segment => segment !== null).map(({ tracks: [one, other] }): { format: WavFormat, path: string } => {
    if (other === undefined) return { format: one.wav.format, path: one.path }
    if (one.wav.format.channels !== 1 || !isSameFormat(one.wav.format, other.wav.format)) {
      throw new StitchError('formats-differ', `${describe(other.wav.format)} beside ${describe(one.wav.format)}`, { segmentPath: other.path })
    }
    return { format: { ...one.wav.format, channels: 2 }, path: one.path }
  })
  const [first] = formats
  if (first === undefined) throw new StitchError('no-segments', 'there are no segments to stitch')
  const odd = formats.find(({ format }) => !isSameFormat(format, first.format))
  if (odd !== undefined) throw new StitchError('formats-differ', `${describe(odd.format)} after ${describe(first.format)}`, { segmentPath: odd.path })
  return first.format
}

function isSameFormat (a: WavFormat, b: WavFormat): boolean {
  return a.sampleRateHz === b.sampleRateHz && a.channels === b.channels && a.bitsPerSample === b.bitsPerSample
}

function describe ({ sampleRateHz, channels }: WavFormat): string {
  return `${sampleRateHz} Hz × ${channels}`
}
