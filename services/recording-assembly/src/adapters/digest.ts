import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
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
