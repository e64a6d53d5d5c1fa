import type { FileHandle } from 'node:fs/promises'

/** Random access to bytes of a known size. `read` never asks beyond that size and may return less than asked. */
export type ByteSource = {
  sizeBytes: number
  read (position: number, lengthBytes: number): Promise<Buffer>
}

export type RiffChunk = { id: string, bodyOffset: number, sizeBytes: number }

/** Far more than any writer makes: a crafted file of empty chunks must not keep us walking. */
const MAX_CHUNKS = 256
const WINDOW_BYTES = 4096

export function bytesSource (bytes: Uint8Array): ByteSource {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return {
    sizeBytes: view.length,
    read: (position, lengthBytes) => Promise.resolve(view.subarray(position, position + lengthBytes)),
  }
}

/** Headers are read through one small window, so that a whole one costs a single read. */
export async function fileSource (file: FileHandle): Promise<ByteSource> {
  const { size: sizeBytes } = await file.stat()
  let window = Buffer.alloc(0)
  let windowStart = 0
  return {
    sizeBytes,
    async read (position, lengthBytes) {
      const wanted = Math.min(lengthBytes, sizeBytes - position)
      if (position < windowStart || position + wanted > windowStart + window.length) {
        const buffer = Buffer.alloc(Math.min(Math.max(wanted, WINDOW_BYTES), sizeBytes - position))
        window = buffer.subarray(0, await readFully(file, buffer, position))
        windowStart = position
      }
      return window.subarray(position - windowStart, position - windowStart + wanted)
    },
  }
}

/** Fills the buffer from `position`; returns how many bytes there were. */
export async function readFully (file: FileHandle, buffer: Uint8Array, position: number): Promise<number> {
  let done = 0
  while (done < buffer.length) {
    const { bytesRead } = await file.read(buffer, done, buffer.length - done, position + done)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return done
}

/**
 * The chunks of a RIFF form in file order, sizes as the file states them. Ends at the end of the file, at a chunk header that
 * does not fit into it, or after 256 chunks; what the sizes claim is never followed out of the file.
 */
export async function * walkChunks (source: ByteSource): AsyncGenerator<RiffChunk> {
  let position = 12
  for (let count = 0; count < MAX_CHUNKS && position + 8 <= source.sizeBytes; count++) {
    const header = await source.read(position, 8)
    if (header.length < 8) return
    const sizeBytes = header.readUInt32LE(4)
    yield { id: header.toString('latin1', 0, 4), bodyOffset: position + 8, sizeBytes }
    position += 8 + sizeBytes + sizeBytes % 2
  }
}
