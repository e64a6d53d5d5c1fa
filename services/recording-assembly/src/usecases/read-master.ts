import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { masterFile, type Recording } from '../domain/recording.ts'
import type { RecordingStore } from './ports.ts'

export type StoredMaster = Pick<Recording, 'recordingId' | 'storedGeneration' | 'bytes' | 'sha256'>

/**
 * The whole master, compared at its end with what was stored: nothing that is made of it vouches for one that was spoilt since, or
 * exchanged. The stream fails then; again and again, so a job that reads it is given up, and somebody looks.
 */
export async function readMaster (store: Pick<RecordingStore, 'read'>, { recordingId, storedGeneration, bytes, sha256 }: StoredMaster, { onBytes = () => {} }: { onBytes?: (bytes: number) => void } = {}): Promise<Readable> {
  const source = await store.read({ recordingId, generation: storedGeneration ?? 0, file: masterFile })

  async function * compared (): AsyncGenerator<Buffer> {
    const hash = createHash('sha256')
    let read = 0
    for await (const chunk of source as AsyncIterable<Buffer>) {
      hash.update(chunk)
      onBytes(read += chunk.length)
      yield chunk
    }
    if (read !== bytes || hash.digest('hex') !== sha256) throw new Error(`${masterFile} is no longer what was stored: ${read} bytes of ${bytes}`)
  }
  const master = Readable.from(compared(), { objectMode: false, highWaterMark: 256 * 1024 })
  master.once('close', () => source.destroy())
  return master
}
