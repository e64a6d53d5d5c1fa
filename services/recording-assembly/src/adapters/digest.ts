import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'

/** How many bytes came, and their SHA-256. */
export async function digestOf (stream: Readable, signal?: AbortSignal, onBytes?: (bytes: number) => void): Promise<{ bytes: number, sha256: string }> {
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
