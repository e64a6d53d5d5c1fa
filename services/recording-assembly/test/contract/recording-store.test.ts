import { randomBytes, randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { CreateMultipartUploadCommand, ListMultipartUploadsCommand, UploadPartCommand } from '@aws-sdk/client-s3'
import { eq } from 'drizzle-orm'
import tap, { test, type Test } from 'tap'
import { openDatabase, runMigrations } from '@tacet/service-kit'
import { createProxy, createTestDatabase, readStack } from '@tacet/test-kit'
import { createEncryptedRecordingStore } from '../../src/adapters/encrypted-recording-store.ts'
import { createFolderRecordingStore } from '../../src/adapters/folder-recording-store.ts'
import { createDataKeys } from '../../src/adapters/postgres-data-keys.ts'
import { createS3RecordingStore } from '../../src/adapters/s3-recording-store.ts'
import { dataKeys } from '../../src/db/schema.ts'
import { migrationsFolder } from '../../src/index.ts'
import { LeaseLost } from '../../src/usecases/errors.ts'
import { createRewrapKeys } from '../../src/usecases/rewrap-keys.ts'
import { badServer, bucket, folder } from '../helpers/bucket.ts'
import { logger } from '../helpers/service.ts'
import { testRecordingStore } from './recording-store-suite.ts'

tap.setTimeout(180_000)

const leftoversIn = (recordingsDir: string) => async () => (await readdir(recordingsDir, { recursive: true })).filter(name => name.startsWith('.work/') || name.endsWith('.part'))

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
  const { client, options } = await bucket(t)
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

  await t.test('clears away what a killed attempt at the same file has left on its way', async t => {
    const name = { recordingId: randomUUID(), generation: 1, file: 'recording.wav' }
    const leave = async (file: string) => await mkdir(join(options.recordingsDir, '.work', `${name.recordingId}.upload.${file}.aaaaaa`), { recursive: true })
    await leave('recording.wav')
    await leave('peaks.json')
    await store.put(name, async file => { await file.writeFile('x') }, { confirm: async () => {} })
    t.same(await leftoversIn(options.recordingsDir)(), [`.work/${name.recordingId}.upload.peaks.json.aaaaaa`], 'others may be at work on other files')
    await store.prepare(name.recordingId, 2)
    t.same(await leftoversIn(options.recordingsDir)(), [])
  })
  store.close()
})

test('an S3 server that accepts and then falls silent', async t => {
  const { options } = await bucket(t)
  const { port, hostname } = new URL(options.endpoint)
  const proxy = await createProxy(t, { host: hostname, port: Number(port) })
  const patience = { answerMs: 200, uploadMs: 300, silenceMs: 200 }
  const proxied = { ...options, endpoint: `http://127.0.0.1:${proxy.port}` }
  const [store, patientStore] = [createS3RecordingStore({ ...proxied, patience }), createS3RecordingStore(proxied)]
  t.teardown(() => [store, patientStore].forEach(each => each.close()))
  const name = { recordingId: randomUUID(), generation: 1, file: 'recording.wav' }
  const putIn = ({ put }: typeof store) => put(name, async file => { await file.writeFile('x') })
  const refusal = { name: 'DependencyUnavailable', dependency: 'store' }

  await t.test('keeps nobody waiting for ever', async t => {
    await putIn(patientStore)
    proxy.swallow(/./)
    await t.rejects(store.read(name), refusal)
    await t.rejects(store.list(name.recordingId), refusal)
    proxy.swallow(/^PUT /)
    await t.rejects(putIn(store), refusal)
  })

  await t.test('ends at once for who is told to stop', async t => {
    proxy.swallow(/^PUT /)
    const stopping = new AbortController()
    const putting = patientStore.put(name, async file => { await file.writeFile('y') }, { signal: stopping.signal, confirm: async () => { setImmediate(() => stopping.abort(new LeaseLost())) } })
    await t.rejects(putting, { name: 'LeaseLost' })
  })

  await t.test('nor one that stops in the middle of a file, or breaks off', async t => {
    const half = (isBroken: boolean) => badServer(t, (_request, response) => {
      response.writeHead(200, { 'content-length': 1_000 }).write('half')
      if (isBroken) setImmediate(() => response.destroy())
    })
    for (const isBroken of [false, true]) {
      const store = createS3RecordingStore({ ...options, endpoint: await half(isBroken), patience })
      t.teardown(() => store.close())
      await t.rejects(store.read(name).then(buffer), refusal, isBroken ? 'it breaks off' : 'it stops')
    }
  })
})

test('without credentials the store is away, which is nobody\'s fault', async t => {
  const { credentials: _, ...options } = (await bucket(t)).options
  const variables = { AWS_EC2_METADATA_DISABLED: 'true', AWS_SHARED_CREDENTIALS_FILE: '/nowhere', AWS_CONFIG_FILE: '/nowhere' }
  const before = { ...process.env }
  Object.assign(process.env, variables)
  t.teardown(() => { for (const variable of Object.keys(variables)) if (before[variable] === undefined) delete process.env[variable] })
  const store = createS3RecordingStore(options)
  t.teardown(() => store.close())
  const refusal = { name: 'DependencyUnavailable', message: /credentials/i }
  await t.rejects(store.put({ recordingId: randomUUID(), generation: 1, file: 'recording.wav' }, async file => { await file.writeFile('x') }), refusal)
  await t.rejects(store.discard(randomUUID(), 1), refusal)
})

test('a bucket that keeps versions, or does not tell, is not written to', async t => {
  const { options } = await bucket(t)
  const answers = {
    kept: [200, '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>'],
    suspended: [200, '<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>'],
    secret: [403, '<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>'],
    unknown: [501, '<Error><Code>NotImplemented</Code><Message>no such thing</Message></Error>'],
  } as const
  for (const [what, [status, body]] of Object.entries(answers)) {
    const written: string[] = []
    const endpoint = await badServer(t, (request, response) => {
      if (request.url?.includes('versioning')) return response.writeHead(status, { 'content-type': 'application/xml' }).end(body)
      if (request.method === 'PUT') written.push(request.url ?? '')
      return request.resume().on('end', () => response.writeHead(200).end(request.method === 'GET' ? 'x' : ''))
    })
    const store = createS3RecordingStore({ ...options, endpoint })
    t.teardown(() => store.close())
    const isFine = what === 'unknown'
    const check = await store.check().catch(() => ({ isOk: false }))
    t.equal(check.isOk, isFine, what)
    const put = await store.put({ recordingId: randomUUID(), generation: 1, file: 'recording.wav' }, async file => { await file.writeFile('x') }).catch(error => error)
    t.match(put, isFine ? { bytes: 1 } : { name: 'DependencyUnavailable' }, what)
    t.equal(written.length, isFine ? 1 : 0, what)
  }
})

for (const kind of ['a folder', 'a bucket'] as const) {
  test(`${kind} as store of encrypted recordings`, async t => {
    const options = kind === 'a folder' ? { recordingsDir: await folder(t) } : (await bucket(t)).options
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
      t.ok((await both.keys.rewrap(1_000)).rewrapped > 0)
      t.equal((await both.keys.rewrap(1_000)).rewrapped, 0)
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

    await t.test('encryption may be switched on: what is added to a plain recording stays plain, and its next version is encrypted', async t => {
      const plain = { recordingId: randomUUID(), generation: 1, file: 'recording.wav' }
      const { store: keyless } = withKeys()
      await keyless.prepare(plain.recordingId, 1)
      for (const file of ['recording.wav', 'timeline.json']) await keyless.put({ ...plain, file }, async handle => { await handle.writeFile(`plain ${file}`) })
      for (const file of ['peaks.json', 'recording.opus']) await store.put({ ...plain, file }, async handle => { await handle.writeFile(`plain ${file}`) })
      for (const file of ['recording.wav', 'timeline.json', 'peaks.json', 'recording.opus']) t.equal((await buffer(await store.read({ ...plain, file }))).toString(), `plain ${file}`)
      t.equal(await store.size(plain), 'plain recording.wav'.length)

      await store.prepare(plain.recordingId, 2, { keep: 1 })
      await store.put({ ...plain, generation: 2 }, async handle => { await handle.writeFile('a second version') })
      t.notOk((await buffer(await inner.read({ ...plain, generation: 2 }))).includes('second'))
      t.equal((await buffer(await store.read(plain))).toString(), 'plain recording.wav')
      await t.rejects(keyless.put({ ...plain, generation: 2, file: 'peaks.json' }, async handle => { await handle.writeFile('x') }), { name: 'DependencyUnavailable', message: /not configured/ }, 'who has no key adds nothing to it')
    })

    await t.test('a generation whose key was destroyed never gets another', async t => {
      const { keys } = withKeys(first)
      const doomed = { recordingId: randomUUID(), generation: 1, file: 'recording.wav' }
      await store.prepare(doomed.recordingId, 1)
      await store.put(doomed, async handle => { await handle.writeFile('x') })
      await keys.destroy(doomed)
      await t.rejects(store.put({ ...doomed, file: 'peaks.json' }, async handle => { await handle.writeFile('x') }), { name: 'DependencyUnavailable', message: /key of this generation is gone/ })
      t.equal(await keys.find(doomed), null)
      t.same((await inner.list(doomed.recordingId)).map(({ file }) => file), ['recording.wav'])
    })

    await t.test('a key that can not be unwrapped keeps no other waiting', async t => {
      const [newest, unknown] = [masterKey('newest'), masterKey('unknown')]
      await database.db.delete(dataKeys)
      const generation = () => ({ recordingId: randomUUID(), generation: 1 })
      const [lost, ...ours] = [generation(), generation(), generation(), generation()]
      await withKeys(unknown).keys.make(lost!)
      for (const one of ours) await withKeys(first).keys.make(one)
      const [damagedOne] = ours.toSorted((a, b) => a.recordingId < b.recordingId ? -1 : 1)
      await database.db.update(dataKeys).set({ wrapped: Buffer.alloc(60).toString('base64') }).where(eq(dataKeys.recordingId, damagedOne!.recordingId))

      const { keys } = withKeys(newest, first)
      const told: object[] = []
      const rewrap = createRewrapKeys({ keys: { ...keys, rewrap: (_limit, after) => keys.rewrap(1, after) }, logger: { ...logger, info () {}, error: (facts: object) => { told.push(facts) } } as typeof logger })
      t.equal(await rewrap(new AbortController().signal), 2)
      t.same((await keys.counts()).toSorted((a, b) => a.masterKeyId < b.masterKeyId ? -1 : 1), [
        { masterKeyId: 'first', isConfigured: true, count: 1 }, { masterKeyId: 'newest', isConfigured: true, count: 2 }, { masterKeyId: 'unknown', isConfigured: false, count: 1 },
      ])
      t.same(told, [{ unreadable: 1, unknown: { unknown: 1 } }])
      t.equal(await rewrap(new AbortController().signal), 0)
      t.equal(told.length, 1, 'it is told once')
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
