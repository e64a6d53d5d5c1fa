import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { readFully } from '@tacet/audio'
import type { Digest } from '../usecases/ports.ts'

/** How many bytes came, and their SHA-256. */
export async function digestOf (stream: Readable, signal?: AbortSignal, onBytes?: (bytes: number) => void): Promise<Digest> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of stream) {
    signal?.throwIfAborted()
    hash.update(chunk)
    bytes += chunk.length
    onBytes?.(bytes)
  }
  return { bytes, sha256: hash.digest('hex') }
}

const BLOCK_BYTES = 1024 * 1024

/** The same of a file, in memory that is used again: of a stream's blocks up to a hundred wait for the collector. */
export async function digestOfFile (path: string, signal?: AbortSignal, onBytes?: (bytes: number) => void): Promise<Digest> {
  const hash = createHash('sha256')
  const buffer = Buffer.allocUnsafe(BLOCK_BYTES)
  const file = await open(path)
  try {
    let bytes = 0
    for (let read = BLOCK_BYTES; read === BLOCK_BYTES;) {
      signal?.throwIfAborted()
      read = await readFully(file, buffer, bytes)
      hash.update(buffer.subarray(0, read))
      bytes += read
      if (read > 0) onBytes?.(bytes)
    }
    return { bytes, sha256: hash.digest('hex') }
  } finally {
    await file.close()
  }
}
