import { randomBytes } from 'node:crypto'
import tap, { test } from 'tap'
import { eq, gt, not, sql } from 'drizzle-orm'
import { encodeWav } from '@tacet/audio'
import { peaksSchema, type Manifest } from '@tacet/contracts'
import { loadConfig } from '@tacet/service-kit'
import { createProxy, eventually } from '@tacet/test-kit'
import { createS3RecordingStore } from '../../src/adapters/s3-recording-store.ts'
import { dataKeys, jobs } from '../../src/db/schema.ts'
import { assemblyConfig } from '../../src/index.ts'
import { bucket } from '../helpers/bucket.ts'
import { manifestOf } from '../helpers/manifest.ts'
import { countingSamples, joinedAt, publishEnded, sha256, startService, surroundings } from '../helpers/service.ts'

tap.setTimeout(180_000)

const companyId = '01990000-0000-7000-8000-000000000001'

test('the service on S3, with encryption', async t => {
  const around = await surroundings(t)
  const { options, env, objects } = await bucket(t)
  const { hostname, port } = new URL(options.endpoint)
  const proxy = await createProxy(t, { host: hostname, port: Number(port) })
  const config = loadConfig(assemblyConfig, { ...around.env, ...env(`http://127.0.0.1:${proxy.port}`), ENCRYPTION_KEYS: `test:${randomBytes(32).toString('base64')}` })
  const admin = await around.addCredential({ companyId, roles: ['admin'] })
  const service = await startService(t, config)
  const bare = createS3RecordingStore(options)
  t.teardown(() => bare.close())
  const { probe, database: { db } } = around

  const samples = countingSamples(39_500)
  const wav = encodeWav({ sampleRateHz: 8000, channels: 1, bitsPerSample: 16 }, joinedAt(samples, 15_800))
  async function putCall (): Promise<Manifest> {
    const manifest = manifestOf([{ fromMs: 0, toMs: 2_000 }, { fromMs: 5_000, toMs: 8_000 }])
    await around.putSegment(manifest, 1, samples.slice(0, 15_800))
    await around.putSegment(manifest, 2, samples.slice(15_800))
    return manifest
  }
  const eventOf = async ({ recordingId }: Manifest, type: string) => (await probe.waitFor(event => event.type === type && event.subject === recordingId)).data
  const get = async (path: string, headers: Record<string, string> = {}) => {
    const answer = await fetch(service.url + path, { headers: { authorization: `Bearer ${admin}`, ...headers } })
    return { status: answer.status, bytes: Buffer.from(await answer.arrayBuffer()) }
  }
  const keyedGenerations = async ({ recordingId }: Manifest) => (await db.select().from(dataKeys).where(eq(dataKeys.recordingId, recordingId))).map(({ generation }) => generation)
  /** But for what looks once more much later. */
  const jobsOf = async ({ recordingId }: Manifest) => (await db.select().from(jobs).where(eq(jobs.recordingId, recordingId))).filter(({ item }) => !item.startsWith('late'))

  t.test('assembles, plays, encodes, draws, cuts and deletes a recording, and leaves nothing in the bucket', async t => {
    const manifest = await putCall()
    const { recordingId } = manifest
    const path = `/v1/recordings/${recordingId}`
    await publishEnded(around, manifest)
    t.match(await eventOf(manifest, 'recording.assembled'), { outcome: 'complete', samples: 39_500, sha256: sha256(wav) })
    t.ok(wav.equals((await get(`${path}/audio`)).bytes))
    const part = await get(`${path}/audio`, { range: 'bytes=65000-70000' })
    t.equal(part.status, 206)
    t.ok(wav.subarray(65_000, 70_001).equals(part.bytes))

    const opus = await eventually(async () => {
      const answer = await get(`${path}/audio?format=opus`)
      return answer.status === 200 && answer.bytes
    }, { timeoutMs: 20_000, message: 'no opus' })
    t.equal(opus.toString('latin1', 0, 4), 'OggS')
    const drawings = await Promise.all([1, 2, 3].map(() => service.call(`${path}/peaks`, { token: admin })))
    for (const { status, body } of drawings) t.match([status, peaksSchema.parse(body).length], [200, Math.ceil(39_500 / 256)], 'several who ask at once')

    const [folder] = await objects(`${recordingId}/1/recording.wav`)
    const files = ['peaks.json', 'recording.opus', 'recording.wav', 'timeline.json']
    t.same(await objects(recordingId), files.map(file => folder?.replace('recording.wav', file)))
    for (const { file } of await bare.list(recordingId)) {
      const stored = Buffer.concat(await (await bare.read({ recordingId, generation: 1, file })).toArray())
      t.equal(stored.toString('latin1', 0, 8), 'TACETENC', `${file} is encrypted`)
    }
    t.same(await keyedGenerations(manifest), [1])

    t.equal((await service.call(`${path}/purge`, { token: admin, body: { reason: 'a card number', segment: 2 } })).status, 202)
    t.match(await eventOf(manifest, 'recording.purged'), { version: 2, samples: 15_800 })
    t.equal((await service.call(`${path}/peaks`, { token: admin })).status, 200)
    t.same(await objects(recordingId), ['peaks.json', 'recording.wav', 'timeline.json'].map(file => folder?.replace('1/recording.wav', `2/${file}`)), 'nothing is left of the first version')
    t.same(await keyedGenerations(manifest), [2], 'nor its key')
    t.equal((await get(`${path}/audio`)).bytes.length, 44 + 2 * 15_800)

    t.equal((await service.call(`${path}/delete`, { token: admin, body: { reason: 'consent withdrawn', cause: 'consent-withdrawn' } })).status, 202)
    await eventOf(manifest, 'recording.deleted')
    t.same(await objects(recordingId), [])
    t.same(await keyedGenerations(manifest), [])
    t.same((await around.filesOfRecordings()).filter(name => name.includes(recordingId)), [], 'nothing is on its way any more')
    const late = await db.select().from(jobs).where(eq(jobs.recordingId, recordingId))
    t.match(late, [{ kind: 'erase', payload: { upToGeneration: 2 } }], 'and it is looked for once more')
    t.equal(late.length, 1)
    t.same(await db.select().from(jobs).where(not(gt(jobs.runAt, sql`now() + interval '10 minutes'`))), [])
  })

  t.test('a store that goes away in the middle of the work is waited for, and nothing is lost', async t => {
    const manifest = await putCall()
    proxy.swallow(/^PUT [^ ]*recording\.wav/)
    await publishEnded(around, manifest)
    await eventually(async () => (await around.filesOfRecordings()).some(name => name.includes(`${manifest.recordingId}.upload.recording.wav`)), { message: 'nothing was on its way' })
    await proxy.cut()
    proxy.swallow(undefined)
    const [job] = await eventually(async () => {
      const [job] = await jobsOf(manifest)
      return job !== undefined && job.postponements > 0 && job.state === 'waiting' && [job]
    }, { message: 'the job did not wait' })
    t.match(job, { kind: 'assemble', attempts: 0, lastError: String }, 'and that is no fault of its own')
    t.match((await service.call(`/v1/recordings/${manifest.recordingId}`, { token: admin })).body, { status: 'assembling' })
    t.equal((await around.filesOfSpool()).filter(name => name.includes(manifest.recordingId)).length, 2, 'the segments are kept')

    await proxy.mend()
    t.match(await eventOf(manifest, 'recording.assembled'), { outcome: 'complete', sha256: sha256(wav) })
    await eventually(async () => (await jobsOf(manifest)).length === 0)
    t.equal((await objects(manifest.recordingId)).length, 3)
    t.same((await around.filesOfSpool()).filter(name => name.includes(manifest.recordingId)), [])
    t.same((await around.filesOfRecordings()).filter(name => name.includes(manifest.recordingId)), [])
  })
})
