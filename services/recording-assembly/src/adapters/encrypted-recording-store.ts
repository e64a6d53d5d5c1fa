import { createHash } from 'node:crypto'
import { open, type FileHandle } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { readFully } from '@tacet/audio'
import { CHUNK_BYTES, HEADER_BYTES, isSealed, locate, MAGIC_BYTES, measure, newFileKey, openChunk, openFileKey, sealChunk, sealedBytesOfChunk, type FileKey } from '../domain/envelope.ts'
import { part } from '../domain/progress.ts'
import { masterFile } from '../domain/recording.ts'
import { DependencyUnavailable } from '../usecases/errors.ts'
import type { Digest, PutOptions, RecordingStore, StoredFile, WriteFile } from '../usecases/ports.ts'
import { guarded } from './guarded.ts'
import type { DataKeys } from './postgres-data-keys.ts'
import { clearScratch, withScratchFile } from './scratch.ts'

const contextOf = ({ recordingId, generation, file }: StoredFile): string => `${recordingId}:${generation}:${file}`

/**
 * Encrypts what it stores in another store, by a key for each generation, which is made when that is prepared. So a generation is
 * encrypted as a whole or not at all: encryption may be switched on at any time, and what is added to a plain recording stays plain.
 */
export function createEncryptedRecordingStore ({ store, keys, recordingsDir }: { store: RecordingStore, keys: DataKeys, recordingsDir: string }): RecordingStore {
  /** Null: to be stored as it is. */
  async function keyFor (name: StoredFile): Promise<Buffer | null> {
    const dataKey = await keys.find(name)
    if (dataKey !== null || !keys.isOn) return dataKey
    const start = await buffer(await store.read({ ...name, file: masterFile }, { start: 0, end: MAGIC_BYTES - 1 }))
    // Its key was destroyed, and nobody makes another one.
    if (isSealed(start)) throw new DependencyUnavailable('store', 'the key of this generation is gone')
    return null
  }

  async function put<T> (name: StoredFile, write: WriteFile<T>, { readBack, ...options }: Parameters<typeof store.put<T>>[2] = {}): Promise<{ result: T } & Digest> {
    const dataKey = await keyFor(name)
    if (dataKey === null) return await store.put(name, write, { ...options, ...readBack && { readBack } })
    const fileKey = newFileKey(dataKey, contextOf(name))
    return await guarded(() => withScratchFile(recordingsDir, name, 'plain', { isAlone: options.confirm !== undefined }, async (plain, path) => {
      const result = await write(plain, path, () => {})
      const { result: sealed, sha256 } = await store.put(name, async (output, _path, onWritten) => await seal(path, output, fileKey, options, onWritten), { ...options, onProgress: part(options.onProgress, 0.3, 1) })
      if (sealed.sealedSha256 !== sha256) throw new DependencyUnavailable('store', `${name.file} was not stored as it was written`)
      return { result, bytes: sealed.bytes, sha256: sealed.sha256 }
    }))
  }

  async function read (name: StoredFile, range?: { start: number, end: number }): Promise<Readable> {
    const dataKey = await keys.find(name)
    if (dataKey === null) return await store.read(name, range)
    const sizeBytes = await store.size(name)
    const { chunks, plainBytes } = damaged(name, () => measure(sizeBytes))
    const wanted = range ?? { start: 0, end: Math.max(0, plainBytes - 1) }
    if (range !== undefined && range.end >= plainBytes) throw new DependencyUnavailable('store', `${plainBytes} bytes instead of at least ${range.end + 1}`)
    const header = await buffer(await store.read(name, { start: 0, end: HEADER_BYTES - 1 }))
    const fileKey = damaged(name, () => openFileKey(dataKey, contextOf(name), header))
    const place = locate(wanted, sizeBytes)
    const sealed = await store.read(name, { start: place.start, end: place.end })
    const plain = Readable.from(opened(sealed, fileKey, place.first, chunks, wanted, name), { objectMode: false, highWaterMark: 4 * CHUNK_BYTES })
    plain.once('close', () => sealed.destroy())
    return plain
  }

  return {
    prepare: async (recordingId, generation, options = {}) => {
      await guarded(() => clearScratch(recordingsDir, recordingId, 'plain'))
      await store.prepare(recordingId, generation, options)
      await keys.destroy({ recordingId, generation: generation - 1 }, options.keep)
      if (keys.isOn) await keys.make({ recordingId, generation })
    },
    put,
    read,
    async size (name) {
      const sizeBytes = await store.size(name)
      return await keys.find(name) === null ? sizeBytes : damaged(name, () => measure(sizeBytes)).plainBytes
    },
    async discard (recordingId, generation, options = {}) {
      // First the key: whatever becomes of the bytes, nobody reads them.
      await keys.destroy({ recordingId, generation }, options.keep)
      await store.discard(recordingId, generation, options)
    },
    list: recordingId => store.list(recordingId),
    async check () {
      return { ...await store.check(), isEncrypted: keys.isOn }
    },
    close: () => store.close(),
  }
}

/** Encrypts a file chunk by chunk; digests of what was read, and of what was written. */
async function seal (path: string, output: FileHandle, fileKey: FileKey, { signal, onProgress }: PutOptions, onWritten: (bytes: number) => void): Promise<{ bytes: number, sha256: string, sealedSha256: string }> {
  const [plainHash, sealedHash] = [createHash('sha256'), createHash('sha256')]
  const [plain, sealed] = [Buffer.allocUnsafe(CHUNK_BYTES), Buffer.allocUnsafe(sealedBytesOfChunk)]
  let [bytes, sealedBytes] = [0, 0]

  async function emit (data: Buffer): Promise<void> {
    sealedHash.update(data)
    await output.writeFile(data)
    onWritten(sealedBytes += data.length)
  }

  const file = await open(path)
  try {
    const { size } = await file.stat()
    await emit(fileKey.header)
    const chunks = Math.max(1, Math.ceil(size / CHUNK_BYTES))
    for (let index = 0; index < chunks; index++) {
      signal?.throwIfAborted()
      const chunk = plain.subarray(0, await readFully(file, plain, bytes))
      plainHash.update(chunk)
      bytes += chunk.length
      await emit(sealChunk(fileKey, chunk, index, index === chunks - 1, sealed))
      part(onProgress, 0, 0.3)((index + 1) / chunks)
    }
  } finally {
    await file.close()
  }
  return { bytes, sha256: plainHash.digest('hex'), sealedSha256: sealedHash.digest('hex') }
}

async function * opened (sealed: Readable, fileKey: FileKey, first: number, chunks: number, { start, end }: { start: number, end: number }, name: StoredFile): AsyncGenerator<Buffer> {
  let index = first
  for await (const chunk of ofSize(sealed, sealedBytesOfChunk)) {
    const plain = damaged(name, () => openChunk(fileKey, chunk, index, index === chunks - 1))
    const offset = index * CHUNK_BYTES
    const part = plain.subarray(Math.max(0, start - offset), Math.max(0, end + 1 - offset))
    if (part.length > 0) yield part
    index++
  }
  if (Math.min(chunks, Math.floor(end / CHUNK_BYTES) + 1) !== index) throw new DependencyUnavailable('store', `${name.file} ended too early`)
}

/** The same bytes in pieces of just this size, but for the last one. A piece is overwritten by the next. */
async function * ofSize (stream: Readable, sizeBytes: number): AsyncGenerator<Buffer> {
  const piece = Buffer.allocUnsafe(sizeBytes)
  let filled = 0
  for await (const data of stream as AsyncIterable<Buffer>) {
    for (let offset = 0; offset < data.length;) {
      const copied = data.copy(piece, filled, offset)
      offset += copied
      filled += copied
      if (filled < sizeBytes) continue
      yield piece
      filled = 0
    }
  }
  if (filled > 0) yield piece.subarray(0, filled)
}

/** Whatever does not open is damaged, or somebody changed it: never is it handed out. */
function damaged<T> (name: StoredFile, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw new DependencyUnavailable('store', `${name.file} of ${name.recordingId} is damaged`, error)
  }
}
