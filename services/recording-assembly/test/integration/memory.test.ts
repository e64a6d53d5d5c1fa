import { fork } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { open, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import tap, { test, type Test } from 'tap'
import { wavHeader } from '@tacet/audio'
import type { Manifest } from '@tacet/contracts'
import { loadConfig } from '@tacet/service-kit'
import { createPorts } from '../../src/assembly.ts'
import { assemblyConfig } from '../../src/index.ts'
import { createTestBucket } from '../helpers/test-bucket.ts'
import { manifestOf } from '../helpers/manifest.ts'
import { surroundings, type Surroundings } from '../helpers/service.ts'

/** `npm run soak` asks for ten hours, in every kind of store. */
const hours = Number(process.env.MEMORY_HOURS ?? 0.25)
const isAll = process.env.MEMORY_HOURS !== undefined
tap.setTimeout(60_000 + hours * 600_000)

const program = new URL('../helpers/worker-process.ts', import.meta.url).pathname
const RATE = 16_000
const SEGMENTS = 4
/**
 * In MB. What is read or opened comes on top of the last three, as much of it as the collector has not taken yet, however long
 * the recording; and of what is read back from an object store, which comes in new memory with each packet, quickly.
 */
const most: Record<string, Record<string, number>> = {
  folder: { assemble: 100, measure: 150, encode: 150, purge: 200 },
  s3: { assemble: 200, measure: 200, encode: 150, purge: 200 },
}
const encrypting = { ENCRYPTION_KEYS: `only:${randomBytes(32).toString('base64')}` }

/** A wideband call in stereo, whose files have holes for audio: they cost nothing to make. */
async function putLongCall ({ spoolDir }: Surroundings): Promise<Manifest> {
  const callId = randomUUID()
  const openMs = hours * 3_600_000 / SEGMENTS
  const manifest = manifestOf(Array.from({ length: SEGMENTS }, (_, n) => ({
    fromMs: n * (openMs + 1_000),
    toMs: n * (openMs + 1_000) + openMs,
    tracks: (['in', 'out'] as const).map(track => ({ track, name: `tacet/tacet-${callId}-${n + 1}-${track}`, format: 'wav16' as const, sampleRateHz: RATE as 16_000 })),
  })), { callId, recordingId: callId, sampleRateHz: RATE })
  for (const { name, format } of manifest.segments.flatMap(({ tracks }) => tracks)) {
    const bytes = openMs * RATE / 1_000 * 2
    const file = await open(join(spoolDir, 'recording', `${name}.${format}`), 'w')
    await file.write(wavHeader({ sampleRateHz: RATE, channels: 1, bitsPerSample: 16 }, bytes))
    await file.write(Buffer.from([1, 1])) // A call without any sound would not be complete.
    await file.truncate(44 + bytes)
    await file.close()
  }
  return manifest
}

/** How much more memory a worker had at one time than before it began, in MB, as Linux counts it. */
async function riseOf (t: Test, env: Record<string, string>): Promise<number> {
  const child = fork(program, [], { execArgv: ['--conditions=@tacet/source'], env: { ...process.env, ...env }, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  t.teardown(() => child.kill('SIGKILL'))
  await once(child, 'message')
  const kib = async (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => ''))?.[1] ?? 0)
  await writeFile(`/proc/${child.pid}/clear_refs`, '5')
  const before = await kib('VmRSS')
  let peak = 0
  const ended = once(child, 'exit')
  child.send('begin')
  while (child.exitCode === null && child.signalCode === null) {
    peak = Math.max(peak, await kib('VmHWM'))
    await pause(10)
  }
  t.same(await ended, [0, null])
  return (peak - before) * 1024 / 1e6
}

const scenes = [['folder', true], ['folder', false], ['s3', true], ['s3', false]] as const
for (const [store, isEncrypted] of isAll ? scenes : scenes.slice(0, 1)) {
  test(`assembling, encoding and purging ${hours} h of stereo take a bounded amount of memory: ${store}${isEncrypted ? ', encrypted' : ''}`, async t => {
    const around = await surroundings(t)
    const env = { ...around.env, ...isEncrypted && encrypting, ...store === 's3' && (await createTestBucket(t)).env }
    const ports = createPorts({ config: loadConfig(assemblyConfig, env), database: around.database, onEvents: () => {}, onJob: () => {} })
    t.teardown(() => ports.store.close())
    const manifest = await putLongCall(around)
    const { recordingId } = manifest
    const find = async () => (await ports.recordings.find(recordingId, { kind: 'all' }))!
    const rises: Record<string, number> = {}

    await around.database.db.transaction(tx => ports.recordings.add(tx, manifest, null))
    rises.assemble = await riseOf(t, { ...env, WORK_WITHOUT: 'measure' })
    rises.measure = await riseOf(t, env)
    t.match(await find(), { status: 'complete', samples: hours * 3_600 * RATE })
    await ports.files.request(recordingId, { kind: 'encode', item: 'flac' })
    rises.encode = await riseOf(t, env)
    t.ok(await ports.files.find(await find(), 'recording.flac'))
    const purge = { purgeId: randomUUID(), version: 1, ranges: [{ from: RATE, to: 2 * RATE }], segments: [1], reason: 'test', at: manifest.endedAt, credentialId: null, agentId: null }
    await ports.recordings.change(recordingId, { kind: 'all' }, () => ({ set: { purge }, jobs: [{ kind: 'purge' }] }))
    rises.purge = await riseOf(t, env)
    t.match(await find(), { version: 2, samples: (hours * 3_600 - 1) * RATE })

    for (const [kind, rise] of Object.entries(rises)) t.ok(rise > 0 && rise < most[store]![kind]!, `${kind}: ${rise.toFixed(0)} MB`)
    t.comment(JSON.stringify(rises))
  })
}
