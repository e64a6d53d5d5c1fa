import { fork } from 'node:child_process'
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import tap, { test, type Test } from 'tap'
import { eq, sql } from 'drizzle-orm'
import fc from 'fast-check'
import { encodeWav } from '@tacet/audio'
import type { Manifest } from '@tacet/contracts'
import { createMetrics, loadConfig } from '@tacet/service-kit'
import { eventually } from '@tacet/test-kit'
import { createAssemblyWorker, createPorts, type Ports } from '../../src/assembly.ts'
import { dataKeys, files, jobs, outbox } from '../../src/db/schema.ts'
import { masterFile, type Recording } from '../../src/domain/recording.ts'
import { assemblyConfig, type AssemblyConfig } from '../../src/index.ts'
import { createTestBucket, type TestBucket } from '../helpers/test-bucket.ts'
import { manifestOf } from '../helpers/manifest.ts'
import { countingSamples, joinedAt, logger, sha256, shortLease, surroundings, type Surroundings } from '../helpers/service.ts'

/** `npm run soak` asks for more. */
const kills = Number(process.env.KILLS ?? 3)
const seed = Number(process.env.KILL_SEED ?? Date.now() % 1_000_000)
tap.setTimeout(60_000 + kills * 45_000)

const program = new URL('../helpers/worker-process.ts', import.meta.url).pathname
const SAMPLES_EACH = 2_500_000
const encrypting = { ENCRYPTION_KEYS: `only:${randomBytes(32).toString('base64')}` }

/** In which store, in clear or not, at which work, and when. So many of assembly, and half as many again of what is made of it. */
const killAt = (...kinds: string[]) => fc.record({ store: fc.constantFrom('folder', 's3'), isEncrypted: fc.boolean(), kind: fc.constantFrom(...kinds), afterMs: fc.nat(400) })
const killsOf = (kinds: string[], numRuns: number) => fc.sample(killAt(...kinds), { seed, numRuns, unbiased: true })
const drawn = [...killsOf(['assemble'], kills), ...killsOf(['encode', 'purge'], Math.ceil(kills / 2))]

interface Ground { around: Surroundings, bucket: TestBucket, samples: Int16Array }
interface Scene { env: Record<string, string>, config: AssemblyConfig, ports: Ports }

function sceneOf ({ around, bucket }: Ground, { store, isEncrypted }: { store: string, isEncrypted: boolean }): Scene {
  const env = { ...around.env, ...store === 's3' && bucket.env, ...isEncrypted && encrypting }
  const config = loadConfig(assemblyConfig, env)
  return { env, config, ports: createPorts({ config, database: around.database, onEvents: () => {}, onJob: () => {} }) }
}

/** Another instance does what there is to do; what is meant for later, too. */
async function takeOver ({ around: { database: { db } } }: Ground, { ports, config }: Scene): Promise<void> {
  const worker = createAssemblyWorker(ports, { config, logger, metrics: createMetrics({ name: 'test' }), timing: { pollIntervalMs: 50 } })
  worker.start()
  try {
    await eventually(async () => {
      await db.update(jobs).set({ runAt: sql`now()` }).where(eq(jobs.kind, 'erase'))
      return (await db.select().from(jobs)).length === 0
    }, { timeoutMs: 30_000, message: 'jobs are left' })
  } finally {
    await worker.stop()
  }
}

/** A call of two segments; all that comes before the work of this kind is done. */
async function prepare (ground: Ground, scene: Scene, kind: string): Promise<Manifest> {
  const { around, samples } = ground
  const openMs = SAMPLES_EACH / 8
  const manifest = manifestOf([{ fromMs: 0, toMs: openMs }, { fromMs: openMs + 1_000, toMs: 2 * openMs + 1_000 }])
  const { recordingId } = manifest
  await around.putSegment(manifest, 1, samples.subarray(0, SAMPLES_EACH))
  await around.putSegment(manifest, 2, samples.subarray(SAMPLES_EACH))
  await around.database.db.transaction(tx => scene.ports.recordings.add(tx, manifest, null))
  if (kind === 'assemble') return manifest
  await takeOver(ground, scene)
  if (kind === 'encode') await scene.ports.files.request(recordingId, { kind: 'encode', item: 'flac' })
  else {
    const order = { purgeId: randomUUID(), version: 1, ranges: [{ from: SAMPLES_EACH, to: 2 * SAMPLES_EACH }], segments: [2], reason: 'test', at: manifest.endedAt, credentialId: null, agentId: null }
    await scene.ports.recordings.change(recordingId, { kind: 'all' }, () => ({ set: { purge: order }, jobs: [{ kind: 'purge' }] }))
  }
  return manifest
}

/** Whether it was killed in the middle: what it was at is still to be done. */
async function killWorker (t: Test, { around: { database: { db } } }: Ground, { env }: Scene, kind: string, afterMs: number): Promise<boolean> {
  const child = fork(program, [], { execArgv: ['--conditions=@tacet/source'], env: { ...process.env, ...env }, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  t.teardown(() => child.kill('SIGKILL'))
  const closed = once(child, 'close')
  child.send('begin')
  await eventually(async () => (await db.select().from(jobs)).every(({ state }) => state !== 'waiting'), { timeoutMs: 60_000, intervalMs: 2, message: 'it took no job' })
  setTimeout(() => child.kill('SIGKILL'), afterMs)
  const [, signal] = await closed
  return signal === 'SIGKILL' && (await db.select().from(jobs)).some(job => job.kind === kind)
}

async function digestOf ({ store }: Ports, { recordingId, storedGeneration }: Recording, file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of await store.read({ recordingId, generation: storedGeneration!, file })) hash.update(chunk)
  return hash.digest('hex')
}

async function checkThatAllIsWell (t: Test, { around, bucket }: Ground, { ports }: Scene, { recordingId }: Manifest, { digest, kind, store, isEncrypted }: { digest: string, kind: string, store: string, isEncrypted: boolean }): Promise<void> {
  const { db } = around.database
  const recording = (await ports.recordings.find(recordingId, { kind: 'all' }))!
  t.match(recording, { status: 'complete', sha256: digest, version: kind === 'purge' ? 2 : 1, purge: null })
  t.equal(await digestOf(ports, recording, masterFile), digest, 'it is read as it was made')
  const events = await db.select().from(outbox).where(eq(outbox.key, recordingId)).orderBy(outbox.id)
  t.same(events.map(({ type }) => type), ['recording.assembling', 'recording.assembled', ...kind === 'purge' ? ['recording.purged'] : []])

  const derived = await db.select().from(files).where(eq(files.recordingId, recordingId))
  const made = ['peaks.json', ...kind === 'encode' ? ['recording.flac'] : []]
  t.same(derived.map(({ file, generation }) => [file, generation]).sort(), made.map(file => [file, recording.storedGeneration]))
  t.ok(recording.sha512)
  for (const { file, sha256 } of derived) t.equal(await digestOf(ports, recording, file), sha256)
  const folder = `${recordingId.slice(0, 2)}/${recordingId}/${recording.storedGeneration}`
  const names = [...made, 'recording.wav', 'timeline.json'].map(name => `${folder}/${name}`)
  t.same((await around.filesOfRecordings()).filter(name => name.includes(recordingId)), store === 'folder' ? names : [], 'no stray file')
  t.same((await bucket.keys()).filter(name => name.includes(recordingId)), store === 's3' ? names : [], 'no stray object, and no upload')
  const keys = await db.select().from(dataKeys).where(eq(dataKeys.recordingId, recordingId))
  t.same(keys.map(({ generation }) => generation), isEncrypted ? [recording.storedGeneration] : [], 'no stray key')
  t.same((await around.filesOfSpool()).filter(name => name.includes(recordingId)), [], 'the segments are gone')
}

test(`a process killed at any instant leaves exactly one recording, and nothing stray: KILLS=${kills} KILL_SEED=${seed}`, async t => {
  const samples = countingSamples(2 * SAMPLES_EACH)
  const ground: Ground = { around: await surroundings(t, shortLease), bucket: await createTestBucket(t), samples }
  const wav = (samples: Int16Array) => encodeWav({ sampleRateHz: 8000, channels: 1, bitsPerSample: 16 }, samples)
  const joined = joinedAt(samples, SAMPLES_EACH)
  const whole = sha256(wav(joined))
  // What is cut away to the end leaves the fade that was there.
  const cut = sha256(wav(joined.subarray(0, SAMPLES_EACH)))
  let inTheMiddle = 0
  for (const [index, { kind, store, isEncrypted, afterMs }] of drawn.entries()) {
    const scene = sceneOf(ground, { store, isEncrypted })
    await t.test(`${index + 1}: ${kind}, ${store}${isEncrypted ? ', encrypted' : ''}, after ${afterMs} ms`, async t => {
      const manifest = await prepare(ground, scene, kind)
      if (await killWorker(t, ground, scene, kind, afterMs)) inTheMiddle++
      await takeOver(ground, scene)
      await checkThatAllIsWell(t, ground, scene, manifest, { digest: kind === 'purge' ? cut : whole, kind, store, isEncrypted })
    })
    scene.ports.store.close()
  }
  t.comment(`${inTheMiddle} of ${drawn.length} were killed in the middle of it`)
  // Of three all may come too late on a quick disk.
  if (kills >= 20) t.ok(inTheMiddle >= drawn.length / 3, 'many of them in the middle of it')
})
