import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { open } from 'node:fs/promises'
import { readFully } from './riff.ts'
import { MAX_WAV_DATA_BYTES, WAV_HEADER_BYTES, bytesPerSample, wavHeader } from './wav.ts'
import type { Wav, WavFormat } from './wav.ts'

/** A segment's file and what `readWavFile` said of it. */
export type StitchSegment = { path: string, wav: Wav }

/** What becomes of the time between two segments. `silence` and `tone` will be further modes. */
export type GapMode = 'remove'

export type StitchOptions = {
  segments: StitchSegment[]
  /** A new, empty file; written from position 0, neither synced nor closed. */
  output: FileHandle
  gaps?: GapMode
  signal?: AbortSignal
}

/** Offsets and counts in samples per channel; `segments` in the order given. */
export type Stitched = {
  format: WavFormat
  samples: number
  fileBytes: number
  sha256: string
  segments: { offsetSamples: number, samples: number }[]
}

export type StitchErrorCode = 'no-segments' | 'formats-differ' | 'too-large' | 'segment-unreadable'

export class StitchError extends Error {
  readonly code: StitchErrorCode
  readonly segmentPath: string | undefined

  constructor (code: StitchErrorCode, message: string, options: { segmentPath?: string, cause?: unknown } = {}) {
    super(message, { cause: options.cause })
    this.name = 'StitchError'
    this.code = code
    this.segmentPath = options.segmentPath
  }
}

/** The output's data, in order; a gap that is filled will be a piece of its own kind. */
type Piece = { kind: 'segment', path: string, position: number, bytes: number }
type Plan = { format: WavFormat, samples: number, pieces: Piece[], segments: Stitched['segments'] }

const BUFFER_BYTES = 1024 * 1024

/**
 * Joins segments into one WAV, sample for sample, in two fixed buffers; the digest is of the bytes written.
 * Throws StitchError, the signal's reason, or the I/O error of the output as it comes (ENOSPC …).
 */
export async function stitch (options: StitchOptions): Promise<Stitched> {
  const { format, samples, pieces, segments } = planStitch(options.segments, options.gaps ?? 'remove')
  const dataBytes = samples * bytesPerSample(format)
  const writer = createHashingWriter(options.output)
  try {
    await writer.write(wavHeader(format, dataBytes))
    const buffers: [Buffer, Buffer] = [Buffer.allocUnsafeSlow(BUFFER_BYTES), Buffer.allocUnsafeSlow(BUFFER_BYTES)]
    for (const piece of pieces) await copySegment(piece, buffers, writer, options.signal)
  } finally {
    await writer.settle()
  }
  return { format, samples, fileBytes: WAV_HEADER_BYTES + dataBytes, sha256: await writer.digest(), segments }
}

function planStitch (segments: StitchSegment[], gaps: GapMode): Plan {
  const format = segments[0]?.wav.format
  if (!format) throw new StitchError('no-segments', 'there are no segments to stitch')
  const plan: Plan = { format, samples: 0, pieces: [], segments: [] }
  for (const { path, wav } of segments) {
    if (!isSameFormat(wav.format, format)) {
      throw new StitchError('formats-differ', `${describe(wav.format)} after ${describe(format)}`, { segmentPath: path })
    }
    switch (gaps) {
      case 'remove': break
      default: throw new TypeError(`unknown gap mode ${gaps satisfies never}`)
    }
    plan.pieces.push({ kind: 'segment', path, position: wav.dataOffset, bytes: wav.dataBytes })
    plan.segments.push({ offsetSamples: plan.samples, samples: wav.samples })
    plan.samples += wav.samples
  }
  if (plan.samples * bytesPerSample(format) > MAX_WAV_DATA_BYTES) {
    throw new StitchError('too-large', `${plan.samples} samples are more than a WAV can hold`)
  }
  return plan
}

async function copySegment (piece: Piece, buffers: [Buffer, Buffer], writer: HashingWriter, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted()
  if (piece.bytes === 0) return
  const input = await open(piece.path).catch(cause => { throw unreadable(piece.path, 'cannot be opened', cause) })
  try {
    for (let done = 0; done < piece.bytes;) {
      signal?.throwIfAborted()
      // Two buffers take turns: while one is written and hashed, the other is filled.
      buffers.reverse()
      const wanted = buffers[0].subarray(0, piece.bytes - done)
      const bytesRead = await readFully(input, wanted, piece.position + done)
        .catch(cause => { throw unreadable(piece.path, 'cannot be read', cause) })
      if (bytesRead < wanted.length) throw unreadable(piece.path, 'has become shorter since it was measured')
      await writer.write(wanted)
      done += bytesRead
    }
  } finally {
    await input.close()
  }
}

type HashingWriter = ReturnType<typeof createHashingWriter>

/** `write` returns once the previous bytes are written; the ones given must stay untouched until the next call has returned. */
function createHashingWriter (output: FileHandle) {
  const hash = createHash('sha256')
  let position = 0
  let underWay: Promise<void> = Promise.resolve()

  return {
    async write (bytes: Uint8Array) {
      await underWay
      underWay = writeFully(output, bytes, position)
      underWay.catch(() => {}) // whoever waits for it next gets the error
      hash.update(bytes) // on this thread, while the write runs on another
      position += bytes.length
    },
    async settle () {
      await underWay.catch(() => {})
    },
    async digest () {
      await underWay
      return hash.digest('hex')
    },
  }
}

async function writeFully (output: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let done = 0
  while (done < bytes.length) {
    const { bytesWritten } = await output.write(bytes, done, bytes.length - done, position + done)
    done += bytesWritten
  }
}

function unreadable (path: string, what: string, cause?: unknown): StitchError {
  return new StitchError('segment-unreadable', `segment ${path} ${what}`, { segmentPath: path, cause })
}

function isSameFormat (a: WavFormat, b: WavFormat): boolean {
  return a.sampleRateHz === b.sampleRateHz && a.channels === b.channels && a.bitsPerSample === b.bitsPerSample
}

function describe ({ sampleRateHz, channels }: WavFormat): string {
  return `${sampleRateHz} Hz × ${channels}`
}
