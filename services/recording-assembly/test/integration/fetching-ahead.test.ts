import { randomUUID } from 'node:crypto'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import tap, { test, type Test } from 'tap'
import { encodeWav } from '@tacet/audio'
import type { Manifest } from '@tacet/contracts'
import { createMetrics, loadConfig } from '@tacet/service-kit'
import { eventually } from '@tacet/test-kit'
import { createAssemblyWorker, createPorts, type Ports } from '../../src/assembly.ts'
import { copies, jobs } from '../../src/db/schema.ts'
import { assemblyConfig } from '../../src/index.ts'
import { manifestOf } from '../helpers/manifest.ts'
import { mortalPorts } from '../helpers/mortal-ports.ts'
import { countingSamples, joinedAt, logger, publishClosed, publishEnded, sha256, shortLease, startService, surroundings, type Surroundings } from '../helpers/service.ts'
import { sleepingPorts } from '../helpers/sleeping-ports.ts'
import { serveStoredRecordings } from '../helpers/stored-recordings.ts'

tap.setTimeout(180_000)

const SAMPLES = [15_800, 15_700, 15_600]
const all = countingSamples(SAMPLES.reduce((sum, samples) => sum + samples))
const digest = sha256(encodeWav({ sampleRateHz: 8000, channels: 1, bitsPerSample: 16 }, joinedAt(all, SAMPLES[0]!, SAMPLES[0]! + SAMPLES[1]!)))

const callOfThree = (): Manifest => manifestOf([{ fromMs: 0, toMs: 2_000 }, { fromMs: 3_000, toMs: 5_000 }, { fromMs: 6_000, toMs: 8_000, closedBy: 'end' }])
const nameOf = ({ callId }: Manifest, number: number): string => `tacet/tacet-${callId}-${number}`

/** An Asterisk that shares no folder. */
async function afar (t: Test, ownEnv: Record<string, string> = {}) {
  const around = await surroundings(t, ownEnv)
  const pbx = await serveStoredRecordings(t, around.spoolDir)
  const { SPOOL_DIR: _, ...env } = around.env
  const config = loadConfig(assemblyConfig, { ...env, ...pbx.env })

  async function putSegments (manifest: Manifest, ...numbers: number[]): Promise<void> {
    for (const number of numbers) {
      const first = SAMPLES.slice(0, number - 1).reduce((sum, samples) => sum + samples, 0)
      await around.putSegment(manifest, number, all.slice(first, first + SAMPLES[number - 1]!))
    }
  }
  async function close (manifest: Manifest, ...numbers: number[]): Promise<void> {
    await putSegments(manifest, ...numbers)
    for (const number of numbers) await publishClosed(around, manifest, number)
  }
  const copiesOf = async ({ recordingId }: Manifest): Promise<string[]> =>
    (await around.filesOfRecordings()).filter(name => name.startsWith(`.work/${recordingId}.ahead`) && name.endsWith('.wav'))
  const isFetched = async (manifest: Manifest, count: number) =>
    await eventually(async () => (await copiesOf(manifest)).length === count && (await around.database.db.select().from(jobs)).length === 0, { timeoutMs: 20_000, message: `not ${count} copies` })
  return { around, pbx, config, putSegments, close, copiesOf, isFetched }
}

async function checkThatAllIsWell (t: Test, around: Surroundings, { recordingId }: Manifest): Promise<void> {
  const { data } = await around.probe.waitFor(({ type, subject }) => type === 'recording.assembled' && subject === recordingId, { timeoutMs: 20_000 })
  t.match(data, { outcome: 'complete', sha256: digest })
  await checkThatNothingIsLeft(t, around, recordingId)
}

async function checkThatNothingIsLeft (t: Test, { database: { db }, ...around }: Surroundings, recordingId: string): Promise<void> {
  await eventually(async () => (await db.select().from(jobs)).length === 0, { timeoutMs: 20_000, message: 'jobs are left' })
  t.same((await around.filesOfRecordings()).filter(name => name.includes(recordingId)).map(name => basename(name)), ['peaks.json', 'recording.wav', 'timeline.json'], 'no stray file')
  t.same(await db.select().from(copies), [])
  t.same(await around.filesOfSpool(), [])
}

test('segments over ARI', async t => {
  const { around, pbx, config, putSegments, close, copiesOf, isFetched } = await afar(t)
  const start = () => startService(t, config)
  let service = await start()

  t.test('are fetched while the call goes on: at the hangup nothing is but the last', async t => {
    const manifest = callOfThree()
    await close(manifest, 1, 2)
    await isFetched(manifest, 2)
    t.same(pbx.fetched.splice(0).sort(), [nameOf(manifest, 1), nameOf(manifest, 2)])
    await close(manifest, 3)
    await publishEnded(around, manifest)
    await checkThatAllIsWell(t, around, manifest)
    t.same(pbx.fetched.splice(0), [nameOf(manifest, 3)])
  })

  t.test('are fetched once, also when the service restarts before the hangup', async t => {
    const manifest = callOfThree()
    await close(manifest, 1, 2)
    await isFetched(manifest, 2)
    pbx.fetched.length = 0
    await service.stop()
    await close(manifest, 3)
    await publishEnded(around, manifest)
    service = await start()
    await checkThatAllIsWell(t, around, manifest)
    t.same(pbx.fetched.splice(0), [nameOf(manifest, 3)])
  })

  t.test('are fetched again when a copy is lost or spoilt', async t => {
    const manifest = callOfThree()
    await close(manifest, 1, 2)
    await isFetched(manifest, 2)
    pbx.fetched.length = 0
    const [first, second] = (await copiesOf(manifest)).map(name => join(around.recordingsDir, name))
    await rm(first!)
    const bytes = await readFile(second!)
    await writeFile(second!, bytes.fill(7, 5_000, 6_000))
    await close(manifest, 3)
    await publishEnded(around, manifest)
    await checkThatAllIsWell(t, around, manifest)
    t.same(pbx.fetched.splice(0).sort(), [1, 2, 3].map(number => nameOf(manifest, number)))
  })

  t.test('are left to the assembly when they are not as they should be', async t => {
    const manifest = callOfThree()
    await putSegments(manifest, 3)
    await close(manifest, 1)
    await around.putSegment(manifest, 2, countingSamples(8_000))
    const { recordingId } = manifest
    await publishClosed(around, manifest, 2)
    await eventually(() => pbx.fetched.includes(nameOf(manifest, 2)))
    await isFetched(manifest, 1)
    await publishEnded(around, manifest)
    const { data } = await around.probe.waitFor(({ type, subject }) => type === 'recording.assembled' && subject === recordingId)
    t.match(data, { outcome: 'incomplete', reasons: [{ code: 'segment-short' }] })
    await checkThatNothingIsLeft(t, around, recordingId)
  })

  t.test('leave nothing behind when the call ends while one is fetched', async t => {
    const manifest = callOfThree()
    const { arrived, release } = pbx.hold()
    await close(manifest, 1)
    await arrived
    await putSegments(manifest, 2, 3)
    await publishEnded(around, manifest)
    await around.probe.waitFor(({ type, subject }) => type === 'recording.assembling' && subject === manifest.recordingId)
    release()
    await checkThatAllIsWell(t, around, manifest)
  })

  t.test('of a call whose end is never told are not kept for ever', async t => {
    const manifest = callOfThree()
    await close(manifest, 1, 2)
    await isFetched(manifest, 2)
    const ports = createPorts({ config, database: around.database, onEvents: () => {}, onJob: () => {} })
    t.teardown(() => ports.source.close())
    const { db } = around.database
    const check = { recordingId: manifest.recordingId, companyId: manifest.companyId, kind: 'check', payload: {}, runAt: new Date(Date.now() + 3_600_000) } as const
    await db.insert(jobs).values([{ ...check, jobId: randomUUID(), item: '3', state: 'waiting' }, { ...check, jobId: randomUUID(), item: '4', state: 'parked', lastError: 'gave-up' }])
    await Promise.all([ports.workDirs.sweep(60_000), ports.copies.forget(60_000)])
    t.same([(await copiesOf(manifest)).length, (await db.select().from(jobs)).length], [2, 2], 'what is young stays')
    await Promise.all([ports.workDirs.sweep(-1_000), ports.copies.forget(-1_000)])
    t.same(await copiesOf(manifest), [])
    t.same(await db.select().from(copies), [])
    t.same(await db.select().from(jobs), [], 'nor are the checks that wait or were given up')
  })
})

test('instances that share no folder each clear their own of what is done, and of nothing else', async t => {
  const { around, config, close, copiesOf, isFetched } = await afar(t)
  const elsewhere = { ...config, recordingsDir: t.testdir() }
  const first = await startService(t, config)
  const [manifest, goingOn] = [callOfThree(), callOfThree()]
  await close(goingOn, 1)
  await isFetched(goingOn, 1)
  await close(manifest, 1, 2)
  await isFetched(manifest, 2)
  await first.stop()

  const second = await startService(t, elsewhere)
  await close(manifest, 3)
  await publishEnded(around, manifest)
  const { data } = await around.probe.waitFor(({ type, subject }) => type === 'recording.assembled' && subject === manifest.recordingId, { timeoutMs: 20_000 })
  t.match(data, { outcome: 'complete', sha256: digest })
  t.equal((await copiesOf(manifest)).length, 2, 'the second can not reach them')
  await eventually(async () => (await around.database.db.select().from(jobs)).length === 0, { timeoutMs: 20_000 })
  await second.stop()

  await startService(t, config)
  await eventually(async () => (await copiesOf(manifest)).length === 0)
  t.equal((await copiesOf(goingOn)).length, 1)
})

test('a worker that slept while another took its job leaves what that has fetched', async t => {
  const { around, config, putSegments } = await afar(t, shortLease)
  const manifest = callOfThree()
  await putSegments(manifest, 1, 2, 3)
  const [hasFetched, mayGoOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const portsOf = () => createPorts({ config, database: around.database, onEvents: () => {}, onJob: () => {} })
  const workerOf = (ports: Ports) => createAssemblyWorker(ports, { config, logger, metrics: createMetrics({ name: 'test' }), timing: { pollIntervalMs: 50 } })
  const [sleeping, ports] = [sleepingPorts(portsOf(), 'before looking'), portsOf()]
  t.teardown(() => Promise.all([sleeping.ports.source.close(), ports.source.close()]))
  await around.database.db.transaction(tx => ports.recordings.add(tx, manifest, null))
  const sleeper = workerOf(sleeping.ports)
  sleeper.start()
  await sleeping.asleep
  const other = workerOf({
    ...ports,
    source: {
      ...ports.source,
      async fetch (...args) {
        const path = await ports.source.fetch(...args)
        hasFetched.resolve()
        await mayGoOn.promise
        return path
      },
    },
  })
  other.start()
  await hasFetched.promise
  sleeping.wakeUp()
  await sleeper.stop()
  mayGoOn.resolve()
  await eventually(async () => (await ports.recordings.find(manifest.recordingId, { kind: 'all' }))?.sha256 === digest)
  await checkThatNothingIsLeft(t, around, manifest.recordingId)
  await other.stop()
})

test('a worker that dies after any step of fetching ahead leaves one recording, and no stray file', async t => {
  const { around, config, putSegments } = await afar(t, shortLease)
  const portsOf = () => createPorts({ config, database: around.database, onEvents: () => {}, onJob: () => {} })
  const workerOf = (ports: ReturnType<typeof portsOf>) => createAssemblyWorker(ports, { config, logger, metrics: createMetrics({ name: 'test' }), timing: { pollIntervalMs: 50 } })
  const { db } = around.database
  const steps: string[] = []
  for (const wanted of ['queue.claim', 'copies.isWanted', 'copies.create', 'source.fetch', 'copies.keep']) {
    const manifest = callOfThree()
    const ports = portsOf()
    t.teardown(() => ports.source.close())
    await putSegments(manifest, 1, 2, 3)
    await db.transaction(tx => ports.copies.request(tx, { ...manifest, correlationId: null }, manifest.segments[0]!))
    const { ports: dying, death } = mortalPorts(ports, steps.length + 1)
    workerOf(dying).start()
    steps.push(await death)
    t.equal(steps.at(-1), wanted)
    await db.transaction(tx => ports.recordings.add(tx, manifest, null))
    const worker = workerOf(ports)
    worker.start()
    await eventually(async () => (await ports.recordings.find(manifest.recordingId, { kind: 'all' }))?.sha256 === digest)
    await checkThatNothingIsLeft(t, around, manifest.recordingId)
    await worker.stop()
  }
})
