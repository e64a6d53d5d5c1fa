import { randomBytes, randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { CreateBucketCommand, CreateMultipartUploadCommand, ListMultipartUploadsCommand, S3Client, UploadPartCommand } from '@aws-sdk/client-s3'
import tap, { test, type Test } from 'tap'
import { openDatabase, runMigrations } from '@tacet/service-kit'
import { createTestDatabase, readStack } from '@tacet/test-kit'
import { createEncryptedRecordingStore } from '../../src/adapters/encrypted-recording-store.ts'
import { createFolderRecordingStore } from '../../src/adapters/folder-recording-store.ts'
import { createDataKeys } from '../../src/adapters/postgres-data-keys.ts'
import { createS3RecordingStore, type S3Options } from '../../src/adapters/s3-recording-store.ts'
import { dataKeys } from '../../src/db/schema.ts'
import { migrationsFolder } from '../../src/index.ts'
import { logger } from '../helpers/service.ts'
import { testRecordingStore } from './recording-store-suite.ts'

tap.setTimeout(150_000)

async function folder (t: Test): Promise<string> {
  const recordingsDir = await mkdtemp(join(tmpdir(), 'tacet-store-'))
  t.teardown(() => rm(recordingsDir, { recursive: true, force: true }))
  return recordingsDir
}
const leftoversIn = (recordingsDir: string) => async () => (await readdir(recordingsDir, { recursive: true })).filter(name => name.startsWith('.work/') || name.endsWith('.part'))

async function bucket (t: Test, overrides: Partial<S3Options> = {}): Promise<S3Options & { client: S3Client }> {
  const { s3 } = readStack()
  if (s3 === undefined) throw new Error('this test needs an S3 server: run it with `npm test -- <file>`')
  const { endpoint, ...credentials } = s3
  const client = new S3Client({ endpoint, credentials, region: 'us-east-1', forcePathStyle: true })
  const name = `test-${randomBytes(8).toString('hex')}`
  await client.send(new CreateBucketCommand({ Bucket: name }))
  t.teardown(() => client.destroy())
  return { bucket: name, prefix: 'calls/', region: 'us-east-1', endpoint, credentials, isPathStyle: true, recordingsDir: await folder(t), client, ...overrides }
}

async function keysOf (t: Test) {
  const testDatabase = await createTestDatabase(readStack().postgres)
  t.teardown(() => testDatabase.drop())
  const url = testDatabase.urls.recording_assembly
  await runMigrations({ url, schema: 'recording_assembly', folder: migrationsFolder, logger })
  const database = openDatabase({ url, name: 'test', logger })
  t.teardown(() => database.close())
  return database
}
const masterKey = (id: string) => ({ id, key: randomBytes(32) })

test('a folder as store of recordings', async t => {
  const recordingsDir = await folder(t)
  await testRecordingStore(t, { store: createFolderRecordingStore({ recordingsDir }), leftovers: leftoversIn(recordingsDir) })
})

test('a bucket as store of recordings', async t => {
  const { client, ...options } = await bucket(t)
  const store = createS3RecordingStore(options)
  await testRecordingStore(t, { store, leftovers: leftoversIn(options.recordingsDir) })

  await t.test('ends the uploads that killed attempts have left', async t => {
    const recordingId = randomUUID()
    const Key = `calls/${recordingId.slice(0, 2)}/${recordingId}/1/recording.wav`
    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket: options.bucket, Key }))
    await client.send(new UploadPartCommand({ Bucket: options.bucket, Key, UploadId, PartNumber: 1, Body: randomBytes(100) }))
    await store.prepare(recordingId, 2)
    t.same((await client.send(new ListMultipartUploadsCommand({ Bucket: options.bucket, Prefix: 'calls/' }))).Uploads ?? [], [])
  })

  await t.test('says what the server can not do, and that it is away', async t => {
    const name = { recordingId: randomUUID(), generation: 1, file: 'recording.wav' }
    const sealed = createS3RecordingStore({ ...options, serverSideEncryption: 'AES256' })
    await t.rejects(sealed.put(name, async file => { await file.writeFile('x') }), { name: 'DependencyUnavailable', message: /encryption/i }, 'this server has no encryption of its own')
    const away = createS3RecordingStore({ ...options, endpoint: 'http://127.0.0.1:9' })
    await t.rejects(away.put(name, async file => { await file.writeFile('x') }), { name: 'DependencyUnavailable', dependency: 'store' })
    await t.rejects(createS3RecordingStore({ ...options, bucket: 'no-such-bucket' }).read(name), { name: 'DependencyUnavailable' })
    await t.rejects(away.check())
    for (const store of [sealed, away]) store.close()
  })
  store.close()
})

for (const kind of ['a folder', 'a bucket'] as const) {
  test(`${kind} as store of encrypted recordings`, async t => {
    const options = kind === 'a folder' ? { recordingsDir: await folder(t) } : await bucket(t)
    const database = await keysOf(t)
    const inner = 'bucket' in options ? createS3RecordingStore(options) : createFolderRecordingStore(options)
    const { recordingsDir } = options
    const first = masterKey('first')
    const withKeys = (...masterKeys: { id: string, key: Buffer }[]) => {
      const keys = createDataKeys({ database, masterKeys })
      return { keys, store: createEncryptedRecordingStore({ store: inner, keys, recordingsDir }) }
    }
    const { store } = withKeys(first)
    await testRecordingStore(t, { store, leftovers: leftoversIn(recordingsDir) })

    const recordingId = randomUUID()
    const name = { recordingId, generation: 1, file: 'recording.wav' }
    const secret = Buffer.from('the number of my card is 4000 0000 0000 0002 '.repeat(5_000))
    await store.prepare(recordingId, 1)
    await store.put(name, async file => { await file.writeFile(secret) })

    await t.test('what is stored tells nothing', async t => {
      const stored = await buffer(await inner.read(name))
      t.equal(stored.length, 32 + secret.length + 16 * Math.ceil(secret.length / 65_536))
      t.notOk(stored.includes('4000'))
    })

    await t.test('a new master key takes over, and the old one may go', async t => {
      const [second, third] = [masterKey('second'), masterKey('third')]
      const both = withKeys(second, first)
      t.ok(secret.equals(await buffer(await both.store.read(name))))
      t.ok(await both.keys.rewrap(1_000) > 0)
      t.equal(await both.keys.rewrap(1_000), 0)
      t.ok(secret.equals(await buffer(await withKeys(second).store.read(name))))
      await t.rejects(withKeys(third).store.read(name), { name: 'DependencyUnavailable', message: /master key second/ })
      await both.keys.rewrap(1_000)
      await withKeys(first, second).keys.rewrap(1_000)
    })

    await t.test('what was stored before there was a key is read as it is, and without one nothing new is encrypted', async t => {
      const plain = { recordingId: randomUUID(), generation: 1, file: 'recording.wav' }
      const { store: keyless } = withKeys()
      await keyless.prepare(plain.recordingId, 1)
      await keyless.put(plain, async file => { await file.writeFile('in clear') })
      t.equal((await buffer(await store.read(plain))).toString(), 'in clear')
      t.equal((await buffer(await store.read(plain, { start: 3, end: 7 }))).toString(), 'clear')
    })

    await t.test('the key goes first: what is discarded is unreadable whatever becomes of its bytes', async t => {
      const stored = await buffer(await inner.read(name))
      await store.discard(recordingId, 1)
      t.same((await database.db.select().from(dataKeys)).filter(key => key.recordingId === recordingId), [])
      await inner.prepare(recordingId, 1)
      await inner.put(name, async file => { await file.writeFile(stored) })
      t.ok(stored.equals(await buffer(await store.read(name))), 'nobody can open it any more')
    })
    inner.close()
  })
}

test('whoever changes an encrypted recording is found out', async t => {
  const recordingsDir = await folder(t)
  const database = await keysOf(t)
  const inner = createFolderRecordingStore({ recordingsDir })
  const store = createEncryptedRecordingStore({ store: inner, keys: createDataKeys({ database, masterKeys: [masterKey('only')] }), recordingsDir })
  const name = { recordingId: randomUUID(), generation: 1, file: 'recording.wav' }
  const other = { ...name, file: 'other.wav' }
  await store.prepare(name.recordingId, 1)
  const bytes = randomBytes(200_000)
  for (const file of [name, other]) await store.put(file, async handle => { await handle.writeFile(bytes) })
  const path = join(recordingsDir, name.recordingId.slice(0, 2), name.recordingId, '1', name.file)
  const whole = await readFile(path)
  const chunk = 65_536 + 16
  const forgeries: Record<string, Buffer> = {
    'a bit is turned': Buffer.concat([whole.subarray(0, 100_000), Buffer.from([whole[100_000]! ^ 1]), whole.subarray(100_001)]),
    'the header is another': Buffer.concat([whole.subarray(0, 20), Buffer.from([whole[20]! ^ 1]), whole.subarray(21)]),
    'two chunks are exchanged': Buffer.concat([whole.subarray(0, 32), whole.subarray(32 + chunk, 32 + 2 * chunk), whole.subarray(32, 32 + chunk), whole.subarray(32 + 2 * chunk)]),
    'the last chunk is missing': whole.subarray(0, 32 + 3 * chunk),
    'the end is missing': whole.subarray(0, whole.length - 5),
    'it is another file of the same recording': await readFile(path.replace('recording.wav', 'other.wav')),
    'it is empty': Buffer.alloc(0),
  }
  await mkdir(join(recordingsDir, 'x'), { recursive: true })
  for (const [what, forged] of Object.entries(forgeries)) {
    await writeFile(path, forged)
    await t.rejects(store.read(name).then(buffer), { name: 'DependencyUnavailable' }, what)
  }
  await writeFile(path, whole)
  t.ok(bytes.equals(await buffer(await store.read(name))))
})
