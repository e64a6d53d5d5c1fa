import { execFile, fork, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { promisify } from 'node:util'
import tap, { test, type Test } from 'tap'
import { eq, sql } from 'drizzle-orm'
import { encodeWav } from '@tacet/audio'
import { loadConfig } from '@tacet/service-kit'
import { eventually } from '@tacet/test-kit'
import { createPorts } from '../../src/assembly.ts'
import { jobs, outbox } from '../../src/db/schema.ts'
import { masterFile } from '../../src/domain/recording.ts'
import { assemblyConfig } from '../../src/index.ts'
import { manifestOf } from '../helpers/manifest.ts'
import { countingSamples, surroundings, type Surroundings } from '../helpers/service.ts'

tap.setTimeout(120_000)

const program = new URL('../helpers/worker-process.ts', import.meta.url).pathname
/** A folder of mounts that nobody else sees; who is not root has it as root of a space of their own. */
const space = process.getuid?.() === 0 ? ['--mount'] : ['--user', '--map-root-user', '--mount']
const DISK_BYTES = 6 * 1024 * 1024

/** A worker whose disk is this small. It sees the disk as RECORDINGS_DIR, we below `disk`. */
async function startWorker (t: Test, { env, recordingsDir }: Surroundings, ownEnv: Record<string, string>): Promise<{ child: ChildProcess, disk: string }> {
  const inIt = 'mount -t tmpfs -o size="$0" tmpfs "$RECORDINGS_DIR" && { "$@"; cat; }'
  const child = fork(program, [], {
    execPath: 'unshare',
    execArgv: [...space, 'sh', '-c', inIt, String(DISK_BYTES), process.execPath, '--conditions=@tacet/source'],
    env: { ...process.env, ...env, ...ownEnv },
    stdio: ['pipe', 'inherit', 'inherit', 'ipc'],
  })
  t.teardown(() => {
    if (child.connected) child.disconnect()
    child.kill('SIGKILL')
  })
  await new Promise((resolve, reject) => {
    child.once('message', resolve)
    child.once('exit', code => reject(new Error(`the worker ended with ${code}`)))
  })
  return { child, disk: `/proc/${child.pid}/root${recordingsDir}` }
}

const filesOf = async (folder: string): Promise<string[]> =>
  (await readdir(folder, { recursive: true, withFileTypes: true })).filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name).slice(folder.length + 1)).sort()

const isPermitted = await promisify(execFile)('unshare', [...space, 'true']).then(() => true, () => false)

for (const [kind, ownEnv] of [['a plain', {}], ['an encrypted', { ENCRYPTION_KEYS: `only:${randomBytes(32).toString('base64')}` }]] as const) {
  test(`a disk that fills up while ${kind} recording is made: its job waits, nothing is lost, and it goes on when there is room`, { skip: isPermitted ? false : 'mounts are not permitted here' }, async t => {
    const around = await surroundings(t)
    const { database: { db } } = around
    const portsOf = (env: Record<string, string> = {}) => createPorts({ config: loadConfig(assemblyConfig, { ...around.env, ...ownEnv, ...env }), database: around.database, onEvents: () => {}, onJob: () => {} })
    const ports = portsOf()
    const samples = countingSamples(1_000_000)
    const manifest = manifestOf([{ fromMs: 0, toMs: 125_000 }])
    const { recordingId } = manifest
    await around.putSegment(manifest, 1, samples)
    await db.transaction(tx => ports.recordings.add(tx, manifest, null))

    const { child, disk } = await startWorker(t, around, ownEnv)
    const ballast = join(disk, 'ballast')
    await writeFile(ballast, Buffer.alloc(DISK_BYTES - 1024 * 1024))
    child.send('begin')
    const job = await eventually(async () => (await db.select().from(jobs)).find(({ kind, postponements }) => kind === 'assemble' && postponements > 1), { timeoutMs: 60_000, message: 'it did not wait' })
    t.match(job, { attempts: 0, lastError: /ENOSPC/ }, 'it is nobody\'s fault, and told')
    t.match(await ports.recordings.find(recordingId, { kind: 'all' }), { status: 'assembling', sha256: null })
    t.same(await filesOf(join(around.spoolDir, 'recording')), [`tacet/tacet-${recordingId}-1.wav`], 'what was recorded is where it was')

    await rm(ballast)
    await db.update(jobs).set({ runAt: sql`now()` })
    const recording = await eventually(async () => {
      const found = await ports.recordings.find(recordingId, { kind: 'all' })
      return found?.status === 'complete' && (await db.select().from(jobs)).length === 0 && found
    }, { timeoutMs: 60_000, message: 'it did not go on' })
    t.match(recording, { samples: 1_000_000, version: 1 })
    const folder = `${recordingId.slice(0, 2)}/${recordingId}/${recording.storedGeneration}`
    t.same(await filesOf(disk), ['peaks.json', 'recording.wav', 'timeline.json'].map(file => `${folder}/${file}`), 'no stray file')
    const { store } = portsOf({ RECORDINGS_DIR: disk })
    const wav = await buffer(await store.read({ recordingId, generation: recording.storedGeneration!, file: masterFile }))
    t.ok(wav.equals(encodeWav({ sampleRateHz: 8000, channels: 1, bitsPerSample: 16 }, samples)), 'every sample is there')
    t.same((await db.select().from(outbox).where(eq(outbox.key, recordingId))).map(({ type }) => type), ['recording.assembling', 'recording.assembled'])
    t.same(await filesOf(join(around.spoolDir, 'recording')), [])
  })
}
