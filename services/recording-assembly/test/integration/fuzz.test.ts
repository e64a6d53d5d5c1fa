import { randomUUID } from 'node:crypto'
import { and, eq, isNull, ne } from 'drizzle-orm'
import t from 'tap'
import { fuzz, type FuzzRequest } from '@tacet/test-kit'
import { jobs, recordings } from '../../src/db/schema.ts'
import { createOpenApi } from '../../src/openapi.ts'
import { actor, manifestOf } from '../helpers/manifest.ts'
import { countingSamples, publishEnded, startService, surroundings } from '../helpers/service.ts'

/** `npm run soak` sends more, and others. */
const requests = Number(process.env['FUZZ_REQUESTS'] ?? 200)
const seed = Number(process.env['FUZZ_SEED'] ?? 20_261_123)
t.setTimeout(requests * 100 + 120_000)

t.test(`whatever is asked, the answer is what the document says (seed ${seed}, ${requests} requests)`, async t => {
  const around = await surroundings(t)
  const companyId = '01990000-0000-7000-8000-000000000001'
  const tokens = await Promise.all([
    {}, {}, { companyId, roles: ['owner' as const] }, { companyId, roles: ['owner' as const] }, { companyId, roles: ['supervisor' as const] }, { companyId, roles: ['service' as const], scopes: ['recordings:read' as const] },
    { companyId, agentId: actor.agentId, roles: ['agent' as const] }, { companyId: randomUUID(), roles: ['owner' as const] },
  ].map(credential => around.addCredential(credential)))
  const { url } = await startService(t, around.config)

  async function send ({ method, path, headers, body }: FuzzRequest) {
    const response = await fetch(url + path, { method, headers, ...(body === undefined ? {} : { body }), signal: AbortSignal.timeout(20_000) })
    return { status: response.status, contentType: response.headers.get('content-type') ?? '', text: await response.text() }
  }

  // What can't be assembled is parked, again and again.
  const impossible = manifestOf([{ fromMs: 0, toMs: 200 }], { companyId })
  await publishEnded(around, { ...impossible, segments: impossible.segments.map(segment => ({ ...segment, tracks: segment.tracks.map(file => ({ ...file, track: 'in' as const })) })) })
  await around.probe.waitFor(({ type, subject }) => type === 'recording.failed' && subject === impossible.recordingId, { timeoutMs: 30_000 })
  const parked = await around.database.db.select().from(jobs).where(eq(jobs.recordingId, impossible.recordingId))

  const undeleted = async (): Promise<string[]> => {
    const rows = await around.database.db.select().from(recordings).where(and(eq(recordings.companyId, companyId), ne(recordings.status, 'failed'), isNull(recordings.deletion), isNull(recordings.deletedAt)))
    return rows.map(({ recordingId }) => recordingId)
  }
  async function prepare () {
    // What was deleted comes again.
    for (let count = (await undeleted()).length; count < 3; count++) {
      const manifest = manifestOf([{ fromMs: 0, toMs: 200 }], { recordingId: randomUUID(), companyId })
      await around.putSegment(manifest, 1, countingSamples(1_600))
      await publishEnded(around, { ...manifest, callId: manifest.recordingId })
      await around.probe.waitFor(({ type, data }) => type === 'recording.assembled' && data.recordingId === manifest.recordingId, { timeoutMs: 30_000 })
    }
    const recordingIds = await undeleted()
    return {
      tokens: [...tokens, 'unknown-0123456789abcdefghij', undefined],
      known: {
        recordingId: [...recordingIds, randomUUID()],
        jobId: parked.map(({ jobId }) => jobId),
        callId: recordingIds,
        companyId: [companyId],
        agentId: [actor.agentId],
        range: ['bytes=0-99', 'bytes=-1', 'bytes=99999999-', 'bytes=0-1,5-6', 'bytes=x', 'lines=1-2'],
        'if-none-match': ['*', '"x"'],
      },
    }
  }

  const report = await fuzz({ document: await createOpenApi(), send, prepare }, { seed, requests })
  t.same(report.findings, [])
  t.comment(JSON.stringify(report.byStatus))
  t.ok(report.succeeded.length >= report.operations.length / 2, `never 2xx: ${report.operations.filter(operation => !report.succeeded.includes(operation)).join(', ')}`)
})
