import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'

/** In 16 bit samples of whatever channel: 1 MiB. */
const BLOCK_LENGTH = 512 * 1024

export type HashingWriter = ReturnType<typeof createHashingWriter>

/** Writes one block after another, and takes their digest on the way. */
export function createHashingWriter (output: FileHandle, onBytes: (bytes: number) => void = () => {}) {
  const hash = createHash('sha256')
  /** While one is written and hashed, the other is filled. */
  const spares = [new Int16Array(BLOCK_LENGTH), new Int16Array(BLOCK_LENGTH)]
  let position = 0
  let underWay: Promise<void> = Promise.resolve()

  return {
    /** Room for the next write, with whatever an earlier one left in it; at most a block, so that memory is bounded. */
    spare (length: number): Int16Array {
      spares.reverse()
      return spares[0]!.subarray(0, length)
    },
    /** Returns once the previous bytes are written; the ones given must stay untouched until the next call has returned. */
    async write (samples: Int16Array | Buffer): Promise<void> {
      const bytes = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength)
      await underWay
      underWay = writeFully(output, bytes, position)
      underWay.catch(() => {}) // whoever waits for it next gets the error
      hash.update(bytes) // on this thread, while the write runs on another
      position += bytes.length
      onBytes(position)
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
