import { randomBytes, randomUUID } from 'node:crypto'
import tap, { test, type Test } from 'tap'
import { eq } from 'drizzle-orm'
import type { AuditEntry, Manifest, OutputFormat } from '@tacet/contracts'
import { createMetrics, loadConfig } from '@tacet/service-kit'
import { eventually } from '@tacet/test-kit'
import { createAssemblyWorker, createPorts, type Ports } from '../../src/assembly.ts'
import { createS3RecordingStore } from '../../src/adapters/s3-recording-store.ts'
import { dataKeys, files, jobs, outbox, recordings } from '../../src/db/schema.ts'
import { assemblyConfig } from '../../src/index.ts'
import { createExpireRecordings } from '../../src/usecases/expire-recordings.ts'
import { createManageRecording } from '../../src/usecases/manage-recording.ts'
import type { Job } from '../../src/usecases/ports.ts'
import { bucket } from '../helpers/bucket.ts'
import { manifestOf } from '../helpers/manifest.ts'
import { countingSamples, logger, surroundings } from '../helpers/service.ts'

tap.setTimeout(180_000)

const operator = { companyId: null, credentialId: null, agentId: null, roles: [], address: null }
const moment = () => ({ at: new Date().toISOString(), auditId: randomUUID() })
const deletion = { reason: 'asked to', cause: 'request' } as const

/** Lets its work go on only when told to. */
function gate () {
  const [reached, opened] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  return {
    reached: reached.promise,
    open: opened.resolve,
    async pass () {
      reached.resolve()
      await opened.promise
    },
  }
}

test('recordings in S3 that are deleted, cut and held while something is made of them', async t => {
  const around = await surroundings(t)
  const { options, env, objects } = await bucket(t)
  const config = loadConfig(assemblyConfig, { ...around.env, ...env(), ENCRYPTION_KEYS: `test:${randomBytes(32).toString('base64')}` })
  const { database: { db } } = around
  const portsOf = (): Ports => createPorts({ config, database: around.database, onEvents: () => {}, onJob: () => {} })
  const ports = portsOf()
  const audited: AuditEntry[] = []
  const manage = createManageRecording({ recordings: ports.recordings, store: ports.store, audit: { append: async entry => { audited.push(entry) } }, newId: randomUUID, moment })
  t.teardown(() => ports.store.close())

  function work (t: Test, ports: Ports, overrides: Partial<typeof config> = {}): { stop: () => Promise<void> } {
    const worker = createAssemblyWorker(ports, { config: { ...config, ...overrides }, logger, metrics: createMetrics({ name: 'test' }), timing: { pollIntervalMs: 30 } })
    worker.start()
    t.teardown(() => worker.stop())
    return worker
  }
  async function addCall (outputFormats: OutputFormat[] = [], overrides: Partial<Manifest> = {}): Promise<string> {
    const manifest = manifestOf([{ fromMs: 0, toMs: 2_000 }, { fromMs: 5_000, toMs: 8_000 }], { settings: { ...manifestOf([]).settings, outputFormats }, ...overrides })
    await around.putSegment(manifest, 1, countingSamples(15_800))
    await around.putSegment(manifest, 2, countingSamples(23_700))
    await db.transaction(tx => ports.recordings.add(tx, manifest, null))
    return manifest.recordingId
  }
  const rowOf = async (recordingId: string) => (await db.select().from(recordings).where(eq(recordings.recordingId, recordingId)))[0]!
  const jobsOf = async (recordingId: string) => await db.select().from(jobs).where(eq(jobs.recordingId, recordingId))
  const isLate = ({ item }: { item: string }) => item.startsWith('late')
  const toldOf = async (recordingId: string) => (await db.select().from(outbox).where(eq(outbox.key, recordingId)).orderBy(outbox.id)).map(({ type }) => type)
  /** But for what looks once more much later. */
  const finished = (recordingId: string) => eventually(async () => (await jobsOf(recordingId)).every(isLate), { message: 'jobs are left' })
  const nothingIsLeft = async (t: Test, recordingId: string) => {
    t.same(await objects(recordingId), [])
    t.same(await db.select().from(dataKeys).where(eq(dataKeys.recordingId, recordingId)), [])
    t.same((await around.filesOfSpool()).filter(name => name.includes(recordingId)), [])
    t.same((await around.filesOfRecordings()).filter(name => name.includes(recordingId)), [])
    t.equal((await toldOf(recordingId)).filter(type => type === 'recording.deleted').length, 1)
  }
  /** Its audio is made and its lease confirmed; the upload comes when it is told to. */
  const uploading = (ports: Ports) => {
    const { pass, ...rest } = gate()
    const store: Ports['store'] = {
      ...ports.store,
      put: async (name, write, options = {}) => await ports.store.put(name, write, {
        ...options,
        confirm: async () => {
          await options.confirm?.()
          if (name.file === 'recording.wav') await pass()
        },
      }),
    }
    return { ports: { ...ports, store }, ...rest }
  }

  await t.test('one that still waits is deleted without being made', async t => {
    const recordingId = await addCall()
    await manage.remove(recordingId, operator, deletion)
    work(t, portsOf())
    await finished(recordingId)
    t.same(await toldOf(recordingId), ['recording.deleted'])
    await t.rejects(ports.store.prepare(recordingId, 1), { name: 'LeaseLost' }, 'who begins it too late gets no key for it')
    await nothingIsLeft(t, recordingId)
  })

  await t.test('one that is being made is deleted once that has come to its end, and nothing of it comes afterwards', async t => {
    const recordingId = await addCall()
    const { ports, reached, open } = uploading(portsOf())
    work(t, ports)
    await reached
    await manage.remove(recordingId, operator, deletion)
    work(t, portsOf())
    const isWaiting = ({ kind, lastError }: { kind: string, lastError: string | null }) => kind === 'erase' && lastError !== null
    const waiting = await eventually(async () => (await jobsOf(recordingId)).find(isWaiting), { message: 'the erasure did not wait' })
    t.match(waiting, { attempts: 0, lastError: /still being made/ })
    t.notOk((await toldOf(recordingId)).includes('recording.deleted'), 'it is not said to be deleted before')
    open()
    await finished(recordingId)
    t.same(await toldOf(recordingId), ['recording.assembling', 'recording.deleted'])
    await nothingIsLeft(t, recordingId)
  })

  await t.test('what was on its way and comes after the deletion is looked for again', async t => {
    const recordingId = await addCall()
    work(t, portsOf())
    await finished(recordingId)
    await manage.remove(recordingId, operator, deletion)
    await finished(recordingId)
    await nothingIsLeft(t, recordingId)
    const bare = createS3RecordingStore(options)
    t.teardown(() => bare.close())
    await bare.put({ recordingId, generation: 1, file: 'recording.wav' }, async file => { await file.writeFile('late') })
    await db.update(jobs).set({ runAt: new Date() }).where(eq(jobs.recordingId, recordingId))
    await eventually(async () => (await jobsOf(recordingId)).length === 0)
    await nothingIsLeft(t, recordingId)
  })

  await t.test('of many attempts that failed one job is left, which looks again for all of them', async t => {
    const recordingId = await addCall()
    await db.update(jobs).set({ runAt: new Date(Date.now() + 3_600_000) }).where(eq(jobs.recordingId, recordingId))
    const attempt = async () => await ports.recordings.begin({ recordingId, correlationId: null } as Job)
    const lateOnes = async () => (await jobsOf(recordingId)).filter(isLate)
    for (let count = 0; count < 4; count++) await attempt()
    await db.update(jobs).set({ runAt: new Date() }).where(eq(jobs.item, 'late'))
    await attempt()
    const [late, ...more] = await lateOnes()
    t.same(more, [])
    t.match(late, { item: 'late', payload: { upToGeneration: 4 } })
    t.ok(late!.runAt.getTime() > Date.now() + 14 * 60_000, 'as long after the last one')

    await db.update(jobs).set({ state: 'running' }).where(eq(jobs.jobId, late!.jobId))
    await attempt()
    t.match((await lateOnes()).map(({ payload: { upToGeneration }, state }) => [upToGeneration, state]).sort(), [[4, 'running'], [5, 'waiting']], 'one that is at work is not told of more')
    await db.delete(jobs).where(eq(jobs.recordingId, recordingId))
  })

  await t.test('a format that is made of the old version while a cut is done is made of the new one, and the old one goes', async t => {
    const { pass, reached, open } = gate()
    const ports = portsOf()
    let isFirst = true
    const encoder: Ports['encoder'] = {
      ...ports.encoder,
      async encode (options) {
        await ports.encoder.encode(options)
        if (isFirst) {
          isFirst = false
          await pass()
        }
      },
    }
    // Its upload comes after the cut; another worker must not take the job for lost.
    const recordingId = await addCall(['flac'])
    work(t, { ...ports, encoder, queue: { ...ports.queue, renew: async job => await ports.queue.renew(job) || job.kind === 'encode' } })
    await reached
    await manage.purge(recordingId, operator, { reason: 'a card number', segment: 2 })
    work(t, portsOf())
    await eventually(async () => (await rowOf(recordingId)).version === 2)
    open()
    await finished(recordingId)
    const made = await db.select().from(files).where(eq(files.recordingId, recordingId))
    t.match(made.map(({ generation, file }) => `${generation}/${file}`).sort(), ['2/peaks.json', '2/recording.flac'])
    t.same((await objects(recordingId)).map(name => name.split('/').slice(-2).join('/')), ['2/peaks.json', '2/recording.flac', '2/recording.wav', '2/timeline.json'])
  })

  await t.test('a file of a version that counts no more is erased by a job, whatever becomes of who made it', async t => {
    const recordingId = await addCall()
    const { stop } = work(t, portsOf())
    await finished(recordingId)
    await stop()
    const old = (await ports.recordings.find(recordingId, { kind: 'all' }))!
    await ports.files.request(recordingId, { kind: 'encode', item: 'flac' })
    const [job] = await ports.queue.claim(1)
    const { bytes, sha256 } = await ports.store.put({ recordingId, generation: 1, file: 'recording.flac' }, async file => await file.writeFile('of the first version'))
    await db.update(recordings).set({ generation: 2, storedGeneration: 2 }).where(eq(recordings.recordingId, recordingId))
    t.equal(await ports.files.add(old, { file: 'recording.flac', bytes, sha256 }, job!), false)
    await db.delete(jobs).where(eq(jobs.jobId, job!.jobId))
    t.match(await jobsOf(recordingId), [{ kind: 'erase', payload: { upToGeneration: 1 } }])
    work(t, portsOf())
    await finished(recordingId)
    t.same(await objects(recordingId), [])
  })

  await t.test('a format that came to its end while a cut was ordered, which was then called off, is made all the same', async t => {
    const recordingId = await addCall(['flac'])
    const ports = portsOf()
    const adding: Ports['files'] = {
      ...ports.files,
      async add (...args) {
        if (args[1].file !== 'recording.flac' || (await rowOf(recordingId)).hold !== null) return await ports.files.add(...args)
        await manage.purge(recordingId, operator, { reason: 'a mistake', segment: 2 })
        const counts = await ports.files.add(...args)
        await manage.hold(recordingId, operator, 'a claim')
        return counts
      },
    }
    // One hand: the cut must not be done before it is called off.
    work(t, { ...ports, files: adding }, { concurrency: 1 })
    await eventually(async () => (await rowOf(recordingId)).hold !== null)
    await finished(recordingId)
    t.match(await rowOf(recordingId), { version: 1, storedGeneration: 1, purge: null })
    t.ok((await db.select().from(files).where(eq(files.recordingId, recordingId))).some(({ generation, file }) => generation === 1 && file === 'recording.flac'))
  })

  await t.test('a hold stops a cut that is not done yet', async t => {
    const recordingId = await addCall(['flac'])
    const first = work(t, portsOf())
    await finished(recordingId)
    await first.stop()
    await manage.purge(recordingId, operator, { reason: 'a mistake', segment: 2 })
    const { ports, reached, open } = uploading(portsOf())
    const cutter = work(t, ports)
    await reached
    t.match(await manage.hold(recordingId, operator, 'a claim'), { purge: null, hold: { reason: 'a claim' } })
    open()
    work(t, portsOf())
    await cutter.stop()
    await finished(recordingId)
    t.match(await rowOf(recordingId), { version: 1, storedGeneration: 1, purge: null, samples: 39_500 })
    // An erasure that was quicker than the upload leaves it to the late one.
    await db.update(jobs).set({ runAt: new Date() }).where(eq(jobs.recordingId, recordingId))
    await eventually(async () => (await objects(recordingId)).every(name => name.includes('/1/')), { message: 'something of the cut is left' })
    t.equal((await objects(recordingId)).length, 4)
    t.notOk((await toldOf(recordingId)).includes('recording.purged'))
    const entries = (await db.select().from(outbox)).map(({ payload }) => payload as AuditEntry).filter(({ action, detail }) => action === 'recording.hold' && detail['recordingId'] === recordingId)
    t.match(entries, [{ outcome: 'done', detail: { reason: 'a claim', stoppedPurge: { reason: 'a mistake' } } }])

    await manage.lift(recordingId, operator, 'settled')
    await manage.purge(recordingId, operator, { reason: 'all the same', segment: 2 })
    await finished(recordingId)
    t.match(await rowOf(recordingId), { version: 2, purge: null, samples: 15_800 })
    t.equal((await toldOf(recordingId)).filter(type => type === 'recording.purged').length, 1)
  })

  await t.test('one that could not be assembled is kept no longer than others', async t => {
    const settings = { ...manifestOf([]).settings, retentionDays: 1 }
    const tracks = (name: string) => [{ track: 'in', name: `tacet/tacet-${name}-1-in`, format: 'wav', sampleRateHz: 8000 }] as const
    const callId = randomUUID()
    const recordingId = await addCall([], { callId, settings, segments: manifestOf([{ fromMs: 0, toMs: 2_000 }, { fromMs: 5_000, toMs: 8_000 }], { callId }).segments.map(segment => ({ ...segment, tracks: [...tracks(callId)] })) })
    work(t, portsOf())
    await eventually(async () => (await rowOf(recordingId)).status === 'failed')
    t.ok((await around.filesOfSpool()).some(name => name.includes(recordingId)), 'its segments are kept until then')
    await createExpireRecordings({ recordings: ports.recordings, moment, logger })(new AbortController().signal)
    await finished(recordingId)
    t.match(await rowOf(recordingId), { status: 'failed', deletion: { cause: 'retention' } })
    await nothingIsLeft(t, recordingId)
  })
})
