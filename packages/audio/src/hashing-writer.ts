import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { readFully } from './riff.ts'
import { StitchError } from './stitch-error.ts'

/** In 16 bit samples of whatever channel: 1 MiB. */
const BLOCK_LENGTH = 512 * 1024

export type HashingWriter = ReturnType<typeof createHashingWriter>

export type HashingWriterOptions = {
  /** How much was given so far. */
  onBytes?: (bytes: number) => void
  /** Each block is read again, and compared with what the digest is of. */
  isReadBack?: boolean
}

/** Writes one block after another, and takes their digest on the way. */
export function createHashingWriter (output: FileHandle, { onBytes, isReadBack = false }: HashingWriterOptions = {}) {
  const hash = createHash('sha256')
  /** While one is written and hashed, the other is filled. */
  const spares = [new Int16Array(BLOCK_LENGTH), new Int16Array(BLOCK_LENGTH)]
  const readBack = Buffer.allocUnsafe(isReadBack ? BLOCK_LENGTH * 2 : 0)
  let position = 0
  let underWay: Promise<void> = Promise.resolve()

  async function put (bytes: Buffer, position: number): Promise<void> {
    await writeFully(output, bytes, position)
    if (!isReadBack) return
    const found = readBack.subarray(0, bytes.length)
    const length = await readFully(output, found, position)
    if (length < bytes.length || !found.equals(bytes)) throw new StitchError('output-differs', `what was written at ${position} reads otherwise`)
  }

  return {
    /** Room for the next write, with whatever an earlier one left in it; at most a block, so that memory is bounded. */
    spare (length: number): Int16Array {
      spares.reverse()
      return spares[0]!.subarray(0, length)
    },
    /** At most a block. Returns once the previous bytes are written; the ones given must stay untouched until the next call has returned. */
    async write (samples: Int16Array | Buffer): Promise<void> {
      const bytes = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength)
      await underWay
      underWay = put(bytes, position)
      underWay.catch(() => {}) // whoever waits for it next gets the error
      hash.update(bytes) // on this thread, while the write runs on another
      position += bytes.length
      onBytes?.(position)
    },
    async settle (): Promise<void> {
      await underWay.catch(() => {})
    },
    async digest (): Promise<string> {
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
