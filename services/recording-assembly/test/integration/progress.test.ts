import { randomBytes, randomUUID } from 'node:crypto'
import tap, { test } from 'tap'
import { createMetrics, loadConfig } from '@tacet/service-kit'
import { eventually } from '@tacet/test-kit'
import { createAssemblyWorker, createPorts, type Ports } from '../../src/assembly.ts'
import { jobs } from '../../src/db/schema.ts'
import { assemblyConfig } from '../../src/index.ts'
import { createTestBucket } from '../helpers/test-bucket.ts'
import { manifestOf } from '../helpers/manifest.ts'
import { countingSamples, readableLogger, surroundings } from '../helpers/service.ts'

tap.setTimeout(180_000)

test('how far a job is, is seen through all that it does, and on the log', async t => {
  const around = await surroundings(t)
  const bucket = await createTestBucket(t)
  const config = loadConfig(assemblyConfig, { ...around.env, ...bucket.env, ENCRYPTION_KEYS: `only:${randomBytes(32).toString('base64')}` })
  const ports = createPorts({ config, database: around.database, onEvents: () => {}, onJob: () => {} })
  t.teardown(() => ports.store.close())
  const told = new Map<string, number[]>()
  const queue: Ports['queue'] = {
    ...ports.queue,
    async noteProgress ({ kind }, progress) {
      told.set(kind, [...told.get(kind) ?? [], progress])
    },
  }
  const { logger, lines } = readableLogger()
  const worker = createAssemblyWorker({ ...ports, queue }, { config, logger, metrics: createMetrics({ name: 'test' }), timing: { pollIntervalMs: 50, tellMs: 0, logMs: 0 } })
  worker.start()
  t.teardown(() => worker.stop())
  const areDone = async () => await eventually(async () => (await around.database.db.select().from(jobs)).every(({ kind }) => kind === 'erase'), { timeoutMs: 30_000 })

  const samples = 900_000
  const manifest = manifestOf([0, 1, 2].map(n => ({ fromMs: n * 400_000, toMs: n * 400_000 + samples / 8 })))
  for (const { number } of manifest.segments) await around.putSegment(manifest, number, countingSamples(samples))
  await around.database.db.transaction(tx => ports.recordings.add(tx, manifest, null))
  await areDone()
  const purge = { purgeId: randomUUID(), version: 1, ranges: [{ from: samples, to: 2 * samples }], segments: [2], reason: 'test', at: manifest.endedAt, credentialId: null, agentId: null }
  await ports.recordings.change(manifest.recordingId, { kind: 'all' }, () => ({ set: { purge }, jobs: [{ kind: 'purge' }] }))
  await areDone()
  await ports.files.request(manifest.recordingId, { kind: 'encode', item: 'mp3' })
  await areDone()

  for (const kind of ['assemble', 'purge', 'encode']) {
    const progress = told.get(kind) ?? []
    t.same(progress, progress.toSorted((a, b) => a - b), `${kind} only ever goes forward`)
    // Read or inspected, joined or encoded, encrypted, uploaded, read back.
    const stages = kind === 'encode' ? [0, 0.8, 0.86, 0.93, 0.97] : [0, 0.3, 0.6, 0.72, 0.79, 0.93]
    for (const [index, from] of stages.entries()) t.ok(progress.some(value => value > from && value <= (stages[index + 1] ?? 1)), `${kind} is seen between ${from} and ${stages[index + 1] ?? 1}`)
    t.ok(lines.some(({ msg, job }) => msg === 'job under way' && job === kind), `${kind} is on the log`)
  }
})
