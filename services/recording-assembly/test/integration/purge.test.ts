import { randomUUID } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import tap, { test, type Test } from 'tap'
import { eq } from 'drizzle-orm'
import { encodeWav } from '@tacet/audio'
import { timelineSchema, type AuditEntry, type Manifest } from '@tacet/contracts'
import { createMetrics } from '@tacet/service-kit'
import { eventually } from '@tacet/test-kit'
import { createAssemblyWorker, createPorts, type Ports } from '../../src/assembly.ts'
import { createJobDesk } from '../../src/adapters/postgres-job-desk.ts'
import { files, jobs, outbox, recordings } from '../../src/db/schema.ts'
import { createManageRecording } from '../../src/usecases/manage-recording.ts'
import { at, manifestOf } from '../helpers/manifest.ts'
import { hands, mortalPorts, stepOfDeath } from '../helpers/mortal-ports.ts'
import { countingSamples, logger, publishEnded, shortLease, startService, surroundings, type Surroundings } from '../helpers/service.ts'

tap.setTimeout(200_000)

const companyId = '01990000-0000-7000-8000-000000000001'
const settings = { gaps: 'remove', minimumLengthMs: 0, retentionDays: null, recordingChannels: 'mono', outputFormats: [] } as const
const [first, second] = [countingSamples(16_000), countingSamples(24_000, 16_000)]

async function putCall (around: Surroundings, overrides: Partial<Manifest> = {}): Promise<Manifest> {
  const manifest = manifestOf([{ fromMs: 0, toMs: 2_000 }, { fromMs: 5_000, toMs: 8_000 }], overrides)
  await around.putSegment(manifest, 1, first)
  await around.putSegment(manifest, 2, second)
  return manifest
}
/** Where no fade is. */
const samplesOf = (wav: Buffer): Int16Array => new Int16Array(wav.buffer.slice(wav.byteOffset + 44, wav.byteOffset + wav.length))

test('the purge of a part of a recording', async t => {
  const publicUrl = 'https://recordings.example.org'
  const around = await surroundings(t, { PUBLIC_URL: `${publicUrl}/` })
  const admin = await around.addCredential({ companyId, roles: ['admin'] })
  const supervisor = await around.addCredential({ companyId, roles: ['supervisor'] })
  const service = await startService(t, around.config)
  const { probe } = around

  async function assembled (overrides: Partial<Manifest> = {}): Promise<string> {
    const manifest = await putCall(around, overrides)
    await publishEnded(around, manifest)
    await probe.waitFor(({ type, subject }) => type === 'recording.assembled' && subject === manifest.recordingId)
    return manifest.recordingId
  }
  const post = (path: string, body: unknown, token = admin) => service.call(path, { token, body })
  const audioOf = async (path: string, query = '') => {
    const answer = await fetch(`${service.url}${path}/audio${query}`, { headers: { authorization: `Bearer ${supervisor}` } })
    return { status: answer.status, bytes: Buffer.from(await answer.arrayBuffer()) }
  }
  const purged = async (recordingId: string) => (await probe.waitFor(({ type, subject }) => type === 'recording.purged' && subject === recordingId)).data

  t.test('makes a version without it, and deletes the old one in every format', async t => {
    const recordingId = await assembled({ settings: { ...settings, outputFormats: ['flac'] } })
    const path = `/v1/recordings/${recordingId}`
    await eventually(async () => (await around.filesOfRecordings()).some(name => name.includes(recordingId) && name.endsWith('.flac')))
    const { body: { link } } = await post(`${path}/links`, {})
    const wish = { reason: 'a card number', fromMs: 500, toMs: 1_500, version: 1 }
    t.equal((await post(`${path}/purge`, wish, supervisor)).problem().code, 'forbidden')
    const order = await post(`${path}/purge`, wish)
    t.match(order, { status: 202, body: { version: 1, isBeingPurged: true } })
    const event = await purged(recordingId)
    t.match(event, { version: 2, samples: 32_000, durationMs: 4_000, companyId })
    for (const { links } of [event, (await probe.waitFor(({ type, subject }) => type === 'recording.assembled' && subject === recordingId)).data]) {
      t.same(links, { recording: publicUrl + path, audio: `${publicUrl}${path}/audio`, timeline: `${publicUrl}${path}/timeline` }, 'whoever consumes it need not know where we are')
    }

    t.match((await service.call(path, { token: supervisor })).body, { version: 2, isBeingPurged: false, samples: 32_000, sha256: event.sha256, gaps: 2 })
    const timeline = timelineSchema.parse((await service.call(`${path}/timeline`, { token: supervisor })).body)
    t.match(timeline, { version: 2, samples: 32_000, purges: [{ samples: 8_000 }], gaps: [{ reasons: ['purged'], atSample: 4_000, durationMs: 1_000 }, { reasons: ['agent'] }] })
    const { bytes } = await audioOf(path)
    const samples = samplesOf(bytes)
    t.equal(samples.length, 32_000)
    t.same(samples.subarray(0, 3_900), first.subarray(0, 3_900))
    t.same(samples.subarray(4_100, 7_900), first.subarray(12_100, 15_900))
    t.same(samples.subarray(8_100), second.subarray(100))

    await eventually(async () => (await audioOf(path, '?format=flac')).status === 200)
    t.equal((await service.call(`${path}/peaks`, { token: supervisor })).body.length, 32_000 / 256)
    const stored = (await around.filesOfRecordings()).filter(name => name.includes(recordingId))
    t.same(stored.filter(name => !name.includes('/2/')), [], 'nothing is left of the first version')
    t.same(stored.map(name => name.split('/').pop()), ['peaks.json', 'recording.flac', 'recording.wav', 'timeline.json'])
    const spoken = Buffer.from(first.buffer, 5_000 * 2, 4_000)
    for (const name of stored) t.notOk((await readFile(join(around.recordingsDir, name))).includes(spoken), name)
    t.match(await around.database.db.select().from(files).where(eq(files.recordingId, recordingId)), [{ generation: 2 }, { generation: 2 }])
    t.equal((await service.call(link)).problem().code, 'link-invalid')
    t.match((await post(`${path}/purge`, wish)).problem(), { status: 412, code: 'precondition-failed' }, 'what comes twice cuts nothing else')
    t.equal((await service.call(path, { token: supervisor })).body.version, 2)
    const audited = () => probe.events.flatMap(({ type, data }) => type === 'audit.recorded' && data.action === 'recording.purge' && data.outcome === 'done' && data.detail.recordingId === recordingId ? data : [])
    await eventually(() => audited().length >= 2)
    const [ordered, done] = audited()
    t.match(ordered, { actor: { kind: 'admin' }, effectiveAt: null, detail: { reason: 'a card number' } })
    const { purgeId } = ordered.detail
    t.match(done, { actor: { kind: 'machine' }, effectiveAt: String, detail: { purgeId, version: 2, sha256: event.sha256, orderedBy: { credentialId: ordered.actor.credentialId } } }, 'the log says when it was done')
  })

  t.test('takes a segment out again and again, until nothing is left to hear', async t => {
    const recordingId = await assembled()
    const path = `/v1/recordings/${recordingId}`
    t.equal((await post(`${path}/purge`, { reason: 'too late', segment: 2 })).status, 202)
    t.match(await purged(recordingId), { version: 2, samples: 16_000 })
    t.equal((await post(`${path}/purge`, { reason: 'too late', segment: 2 })).problem().code, 'nothing-to-purge', 'not twice')
    t.equal((await post(`${path}/purge`, { reason: 'too late', segment: 1 })).status, 202)
    await probe.waitFor(({ type, subject, data }) => type === 'recording.purged' && subject === recordingId && data.version === 3)
    t.match((await service.call(path, { token: supervisor })).body, { version: 3, samples: 0, sha256: null, links: { audio: null } })
    t.same((await around.filesOfRecordings()).filter(name => name.includes(recordingId)).map(name => name.slice(-'3/timeline.json'.length)), ['3/timeline.json'])
  })

  t.test('finds a stretch by the time of the call', async t => {
    const recordingId = await assembled()
    const path = `/v1/recordings/${recordingId}`
    t.equal((await post(`${path}/purge`, { reason: 'x', from: at(3_000), to: at(4_000) })).problem().code, 'nothing-to-purge', 'there it was paused')
    t.equal((await post(`${path}/purge`, { reason: 'too late', from: at(1_004), to: at(6_004) })).status, 202)
    t.match(await purged(recordingId), { version: 2, samples: 24_000 })
    const samples = samplesOf((await audioOf(path)).bytes)
    t.same([samples[7_900], samples[8_100]], [first[7_900], second[8_100]])
  })

  t.test('refuses what is not there, what is held, and what makes no sense', async t => {
    const recordingId = await assembled()
    const path = `/v1/recordings/${recordingId}`
    t.equal((await post(`${path}/purge`, { reason: 'x', segment: 7 })).problem().code, 'nothing-to-purge')
    t.equal((await post(`${path}/purge`, { reason: 'x', fromMs: 90_000, toMs: 91_000, version: 1 })).problem().code, 'nothing-to-purge')
    for (const body of [{ segment: 1 }, { reason: 'x' }, { reason: 'x', fromMs: 1, toMs: 2 }, { reason: 'x', fromMs: 2, toMs: 1, version: 1 }, { reason: 'x', segment: 1, fromMs: 1, toMs: 2 }]) {
      t.equal((await post(`${path}/purge`, body)).problem().code, 'invalid-request', JSON.stringify(body))
    }
    await post(`${path}/hold`, { reason: 'a claim' })
    t.equal((await post(`${path}/purge`, { reason: 'x', segment: 1 })).problem().code, 'legal-hold')
    t.equal((await audioOf(path)).status, 200)
  })
})

const portsOf = ({ config, database }: Surroundings): Ports => createPorts({ config, database, onEvents: () => {}, onJob: () => {} })
const workerOn = (around: Surroundings, ports: Ports) => createAssemblyWorker(ports, { config: { ...around.config, concurrency: hands }, logger, metrics: createMetrics({ name: 'test' }), timing: { pollIntervalMs: 50 } })
const hasNoJobs = async ({ database: { db } }: Surroundings): Promise<boolean> => (await db.select().from(jobs)).length === 0

/** What the audit log has of how its orders ended. */
async function endsOf ({ database: { db } }: Surroundings, recordingId: string): Promise<AuditEntry[]> {
  const entries = (await db.select().from(outbox).where(eq(outbox.type, 'audit.recorded')).orderBy(outbox.id)).map(({ payload }) => payload as AuditEntry)
  return entries.filter(({ actor, detail }) => actor.kind === 'machine' && detail['recordingId'] === recordingId)
}

async function work (around: Surroundings, ports = portsOf(around)): Promise<void> {
  const worker = workerOn(around, ports)
  worker.start()
  try {
    await eventually(() => hasNoJobs(around), { timeoutMs: 20_000, message: 'jobs are left' })
  } finally {
    await worker.stop()
  }
}

/** A call that was assembled, and what may be cut out of it; nobody works yet. */
async function ready (t: Test) {
  const around = await surroundings(t)
  const { db } = around.database
  const ports = portsOf(around)
  const manifest = await putCall(around)
  const { recordingId } = manifest
  await db.transaction(tx => ports.recordings.add(tx, manifest, null))
  await work(around)
  const purge = { purgeId: randomUUID(), version: 1, ranges: [{ from: 0, to: 8_000 }], segments: [1], reason: 'too late', at: manifest.endedAt, credentialId: null, agentId: null }
  return { around, db, ports, manifest, recordingId, purge }
}

test('a purge that is given up is told of; until it is run again, nobody hears the recording', async t => {
  const { around, db, ports, manifest, recordingId, purge } = await ready(t)
  await ports.recordings.change(recordingId, { kind: 'all' }, () => ({ set: { purge }, jobs: [{ kind: 'purge' }] }))
  await db.update(jobs).set({ attempts: 100 })
  const worker = workerOn(around, ports)
  worker.start()
  t.teardown(() => worker.stop())
  const parked = await eventually(async () => (await db.select().from(jobs)).find(({ state }) => state === 'parked'))
  const events = await db.select().from(outbox).where(eq(outbox.key, recordingId))
  t.match(events.filter(({ type }) => type === 'recording.purge-failed'), [{ payload: { purgeId: purge.purgeId, code: 'gave-up' } }])
  t.match(await endsOf(around, recordingId), [{ outcome: 'failed', code: 'gave-up', effectiveAt: null, detail: { purgeId: purge.purgeId } }])
  t.equal((await ports.recordings.find(recordingId, { kind: 'all' }))?.purge?.purgeId, purge.purgeId, 'it is still asked for')

  const entry = { auditId: randomUUID(), companyId, at: manifest.endedAt, action: 'job.rerun', outcome: 'done', code: null, actor: { kind: 'operator', credentialId: null, agentId: null, address: null }, callId: null, requestedAt: manifest.endedAt, effectiveAt: null, detail: {} } as const
  await createJobDesk({ database: around.database, onEvents: () => {}, onJob: () => {} }).rerun(parked.jobId, { kind: 'all' }, () => entry)
  await eventually(() => hasNoJobs(around))
  t.match(await ports.recordings.find(recordingId, { kind: 'all' }), { version: 2, purge: null, samples: 32_000 })
  t.match((await endsOf(around, recordingId)).map(({ outcome }) => outcome), ['failed', 'done'])
})

test('nothing is made of a master that was spoilt since it was stored, and it stays to be looked at', async t => {
  const { around, db, ports, recordingId, purge } = await ready(t)
  const path = join(around.recordingsDir, recordingId.slice(0, 2), recordingId, '1', 'recording.wav')
  const spoilt = await readFile(path)
  spoilt[30_000]! ^= 1
  await writeFile(path, spoilt)

  await ports.files.request(recordingId, { kind: 'encode', item: 'flac' })
  await db.update(recordings).set({ sha512: null })
  await ports.files.request(recordingId, { kind: 'measure' })
  const worker = workerOn(around, ports)
  t.teardown(() => worker.stop())
  const parkedOf = async (kind: string) => (await db.select().from(jobs)).find(job => job.kind === kind && job.state === 'parked')
  // Each as at its last attempt.
  await db.update(jobs).set({ attempts: 7 })
  worker.start()
  for (const kind of ['encode', 'measure']) t.match(await eventually(() => parkedOf(kind), { timeoutMs: 20_000 }), { lastError: /no longer what was stored/ }, kind)
  await ports.recordings.change(recordingId, { kind: 'all' }, () => ({ set: { purge }, jobs: [{ kind: 'purge' }] }))
  await db.update(jobs).set({ attempts: 7 }).where(eq(jobs.kind, 'purge'))
  t.match(await eventually(() => parkedOf('purge'), { timeoutMs: 60_000 }), { lastError: /no longer what was stored/ })
  t.match(await ports.recordings.find(recordingId, { kind: 'all' }), { version: 1, storedGeneration: 1, sha512: null })
  t.ok(spoilt.equals(await readFile(path)))
  t.same((await around.filesOfRecordings()).filter(name => name.endsWith('.flac') || name.includes('.part')), [])
})

test('a worker that dies after any of its steps leaves exactly the purged recording, and nothing of the old one', async t => {
  const around = await surroundings(t, shortLease)
  const died: string[] = []
  const operator = { companyId: null, credentialId: null, agentId: null, roles: [], address: null }
  const audit = { append: async () => {} }

  async function order (): Promise<string> {
    const manifest = await putCall(around)
    const ports = portsOf(around)
    await around.database.db.transaction(tx => ports.recordings.add(tx, manifest, null))
    await work(around)
    const manage = createManageRecording({ recordings: ports.recordings, store: ports.store, audit, newId: randomUUID, moment: () => ({ at: new Date().toISOString(), auditId: randomUUID() }) })
    await manage.purge(manifest.recordingId, operator, { reason: 'too late', fromMs: 0, toMs: 1_000, version: 1 })
    return manifest.recordingId
  }

  async function check (t: Test, recordingId: string): Promise<void> {
    const [row] = await around.database.db.select().from(recordings).where(eq(recordings.recordingId, recordingId))
    t.match(row, { version: 2, samples: 32_000, purge: null })
    const folder = join(recordingId.slice(0, 2), recordingId, String(row?.storedGeneration))
    t.same((await around.filesOfRecordings()).filter(name => name.includes(recordingId)), ['peaks.json', 'recording.wav', 'timeline.json'].map(file => join(folder, file)))
    const samples = samplesOf(await readFile(join(around.recordingsDir, folder, 'recording.wav')))
    t.same([samples.length, samples[100], samples[31_999]], [32_000, first[8_100], second[23_999]])
    const told = (await around.database.db.select().from(outbox).where(eq(outbox.key, recordingId))).filter(({ type }) => type === 'recording.purged')
    t.equal(told.length, 1)
    t.match(await endsOf(around, recordingId), [{ outcome: 'done', detail: { version: 2 } }])
  }

  for (let dieAfter = 1; dieAfter <= died.length + 1; dieAfter++) {
    const recordingId = await order()
    const { ports, death } = mortalPorts(portsOf(around), dieAfter)
    const worker = workerOn(around, ports)
    worker.start()
    const step = await stepOfDeath(worker, death, () => hasNoJobs(around))
    if (step === undefined) {
      await worker.stop()
      await check(t, recordingId)
      break
    }
    died.push(step)
    await t.test(`after ${dieAfter} (${step})`, async t => {
      await work(around)
      await check(t, recordingId)
    })
  }
  const steps = ['queue.claim', 'recordings.beginPurge', 'store.prepare', 'workDirs.create', 'store.read', 'audio written', 'store.put', 'source.remove', 'recordings.completePurge', 'store.discard', 'recordings.finish']
  t.same(steps.filter(step => !died.includes(step)), [], 'it died after each of them')
})

test('the bytes of a wav are what this test takes them for', async t => {
  t.same(samplesOf(encodeWav({ sampleRateHz: 8000, channels: 1, bitsPerSample: 16 }, first)), first)
})
