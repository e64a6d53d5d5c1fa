import { randomBytes, randomUUID } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import tap, { test, type Test } from 'tap'
import { eq } from 'drizzle-orm'
import { encodeWav } from '@tacet/audio'
import type { AuditEntry, Manifest } from '@tacet/contracts'
import { createMetrics } from '@tacet/service-kit'
import { eventually } from '@tacet/test-kit'
import { createAssemblyWorker, createPorts } from '../../src/assembly.ts'
import { dataKeys, jobs, outbox, recordings } from '../../src/db/schema.ts'
import { createManageRecording } from '../../src/usecases/manage-recording.ts'
import { manifestOf } from '../helpers/manifest.ts'
import { hands, mortalPorts, stepOfDeath } from '../helpers/mortal-ports.ts'
import { sleepingPorts } from '../helpers/sleeping-ports.ts'
import { countingSamples, joinedAt, logger, sha256, shortLease, surroundings, type Surroundings } from '../helpers/service.ts'

tap.setTimeout(300_000)

const MAX_STEPS = 40

const portsOf = ({ config, database }: Surroundings) => createPorts({ config, database, onEvents: () => {}, onJob: () => {} })

/** A call of two segments, waiting to be assembled; returns the digest that its recording must have. */
async function addCall (around: Surroundings, samplesEach: number): Promise<{ manifest: Manifest, digest: string }> {
  const openMs = samplesEach / 8
  const manifest = manifestOf([{ fromMs: 0, toMs: openMs }, { fromMs: openMs + 1_000, toMs: 2 * openMs + 1_000 }])
  const samples = countingSamples(2 * samplesEach)
  await around.putSegment(manifest, 1, samples.slice(0, samplesEach))
  await around.putSegment(manifest, 2, samples.slice(samplesEach))
  await around.database.db.transaction(tx => portsOf(around).recordings.add(tx, manifest, null))
  return { manifest, digest: sha256(encodeWav({ sampleRateHz: 8000, channels: 1, bitsPerSample: 16 }, joinedAt(samples, samplesEach))) }
}

const workerOptions = ({ config }: Surroundings) => ({ config: { ...config, concurrency: hands }, logger, metrics: createMetrics({ name: 'test' }), timing: { pollIntervalMs: 50 } })
const jobsOf = ({ database: { db } }: Surroundings) => db.select().from(jobs)
const hasNoJobs = async (around: Surroundings): Promise<boolean> => (await jobsOf(around)).length === 0

/** Another instance takes over, until there is nothing left to do. */
async function takeOver (around: Surroundings): Promise<void> {
  const worker = createAssemblyWorker(portsOf(around), workerOptions(around))
  worker.start()
  try {
    await eventually(() => hasNoJobs(around), { message: 'jobs are left' })
  } finally {
    await worker.stop()
  }
}

async function checkThatAllIsWell (t: Test, around: Surroundings, { manifest: { recordingId }, digest }: { manifest: Manifest, digest: string }): Promise<void> {
  const { db } = around.database
  const [row] = await db.select().from(recordings).where(eq(recordings.recordingId, recordingId))
  t.match(row, { status: 'complete', sha256: digest })
  const events = await db.select().from(outbox).where(eq(outbox.key, recordingId)).orderBy(outbox.id)
  t.match(events, [{ type: 'recording.assembling' }, { type: 'recording.assembled', payload: { outcome: 'complete', sha256: digest } }])
  t.equal(events.length, 2)
  const folder = join(recordingId.slice(0, 2), recordingId, String(row?.storedGeneration))
  t.same((await around.filesOfRecordings()).filter(name => name.includes(recordingId)), ['peaks.json', 'recording.wav', 'timeline.json'].map(file => join(folder, file)), 'no stray file')
  t.equal(sha256(await readFile(join(around.recordingsDir, folder, 'recording.wav'))), digest)
  t.same(await around.filesOfSpool(), [], 'the segments are gone')
}

/** Lets a worker die after each of its steps in turn, each time of new work, and another take over. Returns the steps. */
async function dyingEverywhere<Work> (t: Test, around: Surroundings, prepare: () => Promise<Work>, check: (t: Test, work: Work) => Promise<void>): Promise<string[]> {
  const died: string[] = []
  for (let dieAfter = 1; dieAfter <= MAX_STEPS; dieAfter++) {
    const work = await prepare()
    const { ports, death } = mortalPorts(portsOf(around), dieAfter)
    const worker = createAssemblyWorker(ports, workerOptions(around))
    worker.start()
    const step = await stepOfDeath(worker, death, () => hasNoJobs(around))
    if (step === undefined) {
      await worker.stop()
      await check(t, work)
      return died
    }
    died.push(step)
    await t.test(`after ${dieAfter} (${step})`, async t => {
      await takeOver(around)
      await check(t, work)
    })
  }
  throw new Error('it never came to its end')
}

test('a worker that dies after any of its steps leaves exactly one recording, and no stray file', async t => {
  const around = await surroundings(t, shortLease)
  const died = await dyingEverywhere(t, around, () => addCall(around, 16_000), (t, call) => checkThatAllIsWell(t, around, call))
  const steps = ['queue.claim', 'recordings.begin', 'store.prepare', 'workDirs.create', 'source.fetch', 'audio written', 'store.put', 'recordings.complete', 'source.remove', 'store.read', 'recordings.noteSha512', 'files.add']
  t.same(steps.filter(step => !died.includes(step)), [], 'it died after each of them')
})

test('a worker that dies after any step of a deletion leaves nothing of the recording, and says so once', async t => {
  const around = await surroundings(t, { ...shortLease, ENCRYPTION_KEYS: `test:${randomBytes(32).toString('base64')}` })
  const { db } = around.database
  const operator = { companyId: null, credentialId: null, agentId: null, roles: [], address: null }

  /** It is assembled, and on the PBX and in the folder of work there is something left of it. */
  async function order (): Promise<string> {
    const { manifest, manifest: { recordingId } } = await addCall(around, 16_000)
    await takeOver(around)
    await around.putSegment(manifest, 1, countingSamples(100))
    const { recordings, store, workDirs } = portsOf(around)
    await workDirs.create({ recordingId, generation: 9 })
    t.equal((await db.select().from(dataKeys).where(eq(dataKeys.recordingId, recordingId))).length, 1)
    const manage = createManageRecording({ recordings, store, audit: { append: async () => {} }, newId: randomUUID, moment: () => ({ at: new Date().toISOString(), auditId: randomUUID() }) })
    await manage.remove(recordingId, operator, { reason: 'asked to', cause: 'request' })
    return recordingId
  }

  async function check (t: Test, recordingId: string): Promise<void> {
    const [row] = await db.select().from(recordings).where(eq(recordings.recordingId, recordingId))
    t.match(row, { deletion: { cause: 'request' }, customer: null, manifest: { number: null } })
    t.same((await around.filesOfRecordings()).filter(name => name.includes(recordingId)), [])
    t.same(await around.filesOfSpool(), [])
    t.same(await db.select().from(dataKeys).where(eq(dataKeys.recordingId, recordingId)), [])
    const said = await db.select().from(outbox).orderBy(outbox.id)
    t.equal(said.filter(({ key, type }) => key === recordingId && type === 'recording.deleted').length, 1)
    const entries = said.map(({ payload }) => payload as AuditEntry).filter(({ action, detail }) => action === 'recording.delete' && detail['recordingId'] === recordingId)
    t.match(entries, [{ actor: { kind: 'operator' }, effectiveAt: null }, { actor: { kind: 'machine' }, effectiveAt: String }])
    t.equal(entries.length, 2)
  }

  const died = await dyingEverywhere(t, around, order, check)
  const steps = ['queue.claim', 'recordings.find', 'recordings.isWorkedOn', 'store.discard', 'workDirs.clear', 'source.remove', 'recordings.erased']
  t.same(steps.filter(step => !died.includes(step)), [], 'it died after each of them')
})

for (const point of ['before looking', 'before publishing'] as const) {
  test(`a worker that slept ${point} while another did its work leaves that as it is`, async t => {
    const around = await surroundings(t, shortLease)
    const call = await addCall(around, 16_000)
    const { ports, asleep, wakeUp } = sleepingPorts(portsOf(around), point)
    const worker = createAssemblyWorker(ports, workerOptions(around))
    worker.start()
    await asleep
    await takeOver(around)
    const { recordingId } = call.manifest
    const [row] = await around.database.db.select().from(recordings).where(eq(recordings.recordingId, recordingId))
    const file = join(around.recordingsDir, recordingId.slice(0, 2), recordingId, String(row?.storedGeneration), 'recording.wav')
    const { ino } = await stat(file)
    wakeUp()
    await worker.stop()
    t.equal((await stat(file)).ino, ino, 'the file is the other\'s')
    await checkThatAllIsWell(t, around, call)
  })
}

test('what comes with a lease that is lost changes nothing', async t => {
  const around = await surroundings(t, shortLease)
  const call = await addCall(around, 16_000)
  const ports = portsOf(around)
  const [job] = await ports.queue.claim(1)
  if (job === undefined) throw new Error('no job')
  await eventually(async () => !(await around.database.db.select().from(jobs).where(eq(jobs.leaseId, job.leaseId))).some(({ leaseExpiresAt }) => leaseExpiresAt! > new Date()))
  await takeOver(around)

  t.equal(await ports.queue.renew(job), false)
  await t.rejects(ports.recordings.complete(job, { verdict: { outcome: 'incomplete', reasons: [] }, timeline: {} as never, expendable: [] }), { name: 'LeaseLost' })
  await t.rejects(ports.recordings.fail(job, 'too-late', ''), { name: 'LeaseLost' })
  await t.rejects(ports.recordings.finish(job), { name: 'LeaseLost' })
  await ports.queue.putBack(job, { delayMs: 0, error: null, isBlameless: true })
  await checkThatAllIsWell(t, around, call)
})
