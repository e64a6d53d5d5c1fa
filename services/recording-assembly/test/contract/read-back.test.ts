import { randomBytes, randomUUID } from 'node:crypto'
import { open, readdir } from 'node:fs/promises'
import { request as ask } from 'node:http'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { test } from 'tap'
import { createEncryptedRecordingStore } from '../../src/adapters/encrypted-recording-store.ts'
import { createFolderRecordingStore } from '../../src/adapters/folder-recording-store.ts'
import type { DataKeys } from '../../src/adapters/postgres-data-keys.ts'
import { createS3RecordingStore } from '../../src/adapters/s3-recording-store.ts'
import type { RecordingStore, StoredFile } from '../../src/usecases/ports.ts'
import { badServer, bucket, folder } from '../helpers/bucket.ts'

const bytes = randomBytes(200_000)
const newName = (): StoredFile => ({ recordingId: randomUUID(), generation: 1, file: 'recording.wav' })
const putIn = async (store: RecordingStore, name: StoredFile) => await store.put(name, async file => { await file.writeFile(bytes) })
const refusal = { name: 'DependencyUnavailable', dependency: 'store', message: /not stored as it was written/ }
const dataKey = randomBytes(32)
const keys = { isOn: true, find: async () => dataKey, make: async () => {}, destroy: async () => {} } as Partial<DataKeys> as DataKeys

/** The same store, on a disk that turns a bit of whatever is written there. */
const onBadDisk = (store: RecordingStore): RecordingStore => ({
  ...store,
  put: async (name, write, options) => await store.put(name, async (file, path, onWritten) => {
    const result = await write(file, path, onWritten)
    const spoilt = await open(path, 'r+')
    const bit = Buffer.alloc(1)
    await spoilt.read(bit, 0, 1, 100_000)
    bit[0]! ^= 1
    await spoilt.write(bit, 0, 1, 100_000)
    await spoilt.close()
    return result
  }, options),
})

test('an encrypted recording that the disk has spoilt is not taken for stored, and nothing is left of it', async t => {
  const recordingsDir = await folder(t)
  const inner = createFolderRecordingStore({ recordingsDir })
  const encrypted = (store: RecordingStore) => createEncryptedRecordingStore({ store, keys, recordingsDir })
  const name = newName()
  await inner.prepare(name.recordingId, 1)
  await t.rejects(putIn(encrypted(onBadDisk(inner)), name), refusal)
  t.same(await readdir(`${recordingsDir}/.work`), [])
  t.match(await putIn(encrypted(inner), name), { bytes: bytes.length }, 'a later attempt replaces it')
})

test('neither is a plain one of which the disk has less than was written', async t => {
  const store = createFolderRecordingStore({ recordingsDir: await folder(t) })
  const name = newName()
  await store.prepare(name.recordingId, 1)
  const shortened = store.put(name, async file => {
    await file.writeFile(bytes)
    await file.truncate(bytes.length - 1)
  }, { readBack: () => ({ bytes: bytes.length, sha256: 'of all of it' }) })
  await t.rejects(shortened, { name: 'DependencyUnavailable', message: /bytes stored/ })
  t.same(await store.list(name.recordingId), [])
})

/** Where the S3 server can be reached, but what it gives back has a bit turned, and no checksum that would tell. */
async function spoilingServer (t: Parameters<typeof bucket>[0], endpoint: string, spoils: () => boolean): Promise<string> {
  return await badServer(t, (request, response) => {
    const onward = ask(new URL(request.url ?? '/', endpoint), { method: request.method ?? 'GET', headers: request.headers }, answer => {
      const headers = Object.fromEntries(Object.entries(answer.headers).filter(([header]) => !header.startsWith('x-amz-checksum')))
      response.writeHead(answer.statusCode ?? 502, headers)
      const isObject = request.method === 'GET' && request.url?.includes('recording.wav')
      const passage = new Transform({
        transform (chunk: Buffer, _encoding, done) {
          if (isObject && spoils()) chunk[0]! ^= 1
          done(null, chunk)
        },
      })
      pipeline(answer, passage, response).catch(() => response.destroy())
    })
    onward.on('error', () => response.destroy())
    request.pipe(onward)
  })
}

test('a recording that reads otherwise in a bucket is not taken for stored', async t => {
  const { options } = await bucket(t)
  let isSpoilt = true
  const s3 = createS3RecordingStore({ ...options, endpoint: await spoilingServer(t, options.endpoint, () => isSpoilt) })
  t.teardown(() => s3.close())
  const stores = { plain: s3, encrypted: createEncryptedRecordingStore({ store: s3, keys, recordingsDir: options.recordingsDir }) }
  for (const [kind, store] of Object.entries(stores)) {
    const name = newName()
    isSpoilt = true
    await t.rejects(putIn(store, name), refusal, kind)
    t.same(await readdir(`${options.recordingsDir}/.work`), [], 'nothing is left on its way')
    isSpoilt = false
    t.match(await putIn(store, name), { bytes: bytes.length }, 'a later attempt replaces it')
  }
})
