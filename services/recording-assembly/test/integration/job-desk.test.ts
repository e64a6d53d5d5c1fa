import { randomUUID } from 'node:crypto'
import { test } from 'tap'
import { eq } from 'drizzle-orm'
import type { AuditEntry, JobView, Manifest } from '@tacet/contracts'
import { eventually } from '@tacet/test-kit'
import { createPorts } from '../../src/assembly.ts'
import { jobs } from '../../src/db/schema.ts'
import { manifestOf } from '../helpers/manifest.ts'
import { countingSamples, startService, surroundings } from '../helpers/service.ts'

const companyId = '01990000-0000-7000-8000-000000000001'

test('jobs, for those who look after recordings', async t => {
  const around = await surroundings(t)
  const tokens = {
    operator: await around.addCredential({}),
    admin: await around.addCredential({ companyId, roles: ['admin'] }),
    supervisor: await around.addCredential({ companyId, roles: ['supervisor'] }),
    stranger: await around.addCredential({ companyId: randomUUID(), roles: ['owner'] }),
  }
  const { probe, database: { db } } = around
  // Nobody takes from us what we hold.
  const { recordings, queue } = createPorts({ config: { ...around.config, leaseMs: 600_000 }, database: around.database, onEvents: () => {}, onJob: () => {} })
  async function claimed (): Promise<{ manifest: Manifest, job: Awaited<ReturnType<typeof queue.claim>>[number] }> {
    const manifest = manifestOf([{ fromMs: 0, toMs: 2_000 }])
    await around.putSegment(manifest, 1, countingSamples(15_800))
    await db.transaction(tx => recordings.add(tx, manifest, null))
    const [job] = await queue.claim(1)
    await recordings.begin(job!)
    return { manifest, job: job! }
  }
  const [failed, failedToo, underWay] = [await claimed(), await claimed(), await claimed()]
  for (const { job } of [failed, failedToo]) await recordings.fail(job, 'gave-up', 'the disk was broken')
  await db.delete(jobs).where(eq(jobs.kind, 'erase'))
  await queue.noteProgress(underWay.job, 0.4)

  const service = await startService(t, around.config)
  const get = (path: string, token = tokens.admin) => service.call(path, { token })
  const run = (jobId: string, token = tokens.admin) => service.call(`/v1/jobs/${jobId}/run`, { method: 'POST', token })
  const idsOf = (body: unknown): string[] => (body as { items: JobView[] }).items.map(({ jobId }) => jobId)
  const auditOf = (jobId: string): AuditEntry[] => probe.events.filter(({ type, data }) => type === 'audit.recorded' && data.detail.jobId === jobId).map(({ data }) => data)

  t.test('are listed, the latest first, by state, kind, recording and page', async t => {
    const { body } = await get('/v1/jobs')
    t.same(idsOf(body), [underWay, failedToo, failed].map(({ job }) => job.jobId))
    t.match((body as { items: unknown[] }).items, [{ state: 'running', progress: 0.4, attempts: 1, companyId, recordingId: underWay.manifest.recordingId }, { state: 'parked', progress: null, lastError: 'gave-up: the disk was broken' }, {}])
    t.same(idsOf((await get('/v1/jobs?state=parked&kind=assemble')).body), [failedToo.job.jobId, failed.job.jobId])
    t.same(idsOf((await get('/v1/jobs?kind=encode')).body), [])
    t.same(idsOf((await get(`/v1/jobs?recordingId=${failed.manifest.recordingId}`, tokens.operator)).body), [failed.job.jobId])
    const first = (await get('/v1/jobs?limit=2')).body as { nextCursor: string }
    const second = (await get(`/v1/jobs?limit=2&cursor=${first.nextCursor}`)).body
    t.match([idsOf(first).length, idsOf(second), second], [2, [failed.job.jobId], { nextCursor: null }])
    t.equal((await get('/v1/jobs?cursor=x')).problem().code, 'invalid-request')
  })

  t.test('are shown one by one, with how far they are', async t => {
    t.match(await get(`/v1/jobs/${underWay.job.jobId}`), { status: 200, body: { state: 'running', progress: 0.4 } })
    t.equal((await get(`/v1/jobs/${randomUUID()}`)).problem().code, 'job-not-found')
  })

  t.test('are counted by kind and state', async t => {
    // What could not be counted in time is not told.
    const metrics = await eventually(async () => {
      const text = await (await fetch(`${service.adminUrl}/metrics`)).text()
      return text.includes('tacet_assembly_jobs{') && text
    })
    t.match(metrics, /tacet_assembly_jobs\{[^}]*kind="assemble",state="parked"[^}]*\} 2/)
    t.match(metrics, /tacet_assembly_jobs\{[^}]*kind="assemble",state="running"[^}]*\} 1/)
  })

  t.test('are run again only by those who may, and only when they are parked; every refusal is noted', async t => {
    t.equal((await get('/v1/jobs', tokens.supervisor)).problem().code, 'forbidden')
    t.equal((await run(failed.job.jobId, tokens.supervisor)).problem().code, 'forbidden')
    t.same(idsOf((await get('/v1/jobs', tokens.stranger)).body), [])
    t.equal((await run(failed.job.jobId, tokens.stranger)).problem().code, 'job-not-found')
    t.equal((await run(underWay.job.jobId)).problem().code, 'job-not-parked')
    await eventually(() => auditOf(failed.job.jobId).length === 2)
    // Companies have partitions of their own, so their entries come in any order.
    const entries = auditOf(failed.job.jobId).toSorted((one, other) => String(one.code) < String(other.code) ? -1 : 1)
    t.match(entries, [{ action: 'job.rerun', outcome: 'refused', code: 'forbidden', companyId }, { outcome: 'refused', code: 'job-not-found' }])
  })

  t.test('make in the end what they could not make before', async t => {
    const { job: { jobId }, manifest: { recordingId } } = failed
    t.match((await get(`/v1/recordings/${recordingId}`)).body, { status: 'failed' })
    t.match(await run(jobId), { status: 202, body: { jobId, state: 'waiting', attempts: 0 } })
    t.match((await probe.waitFor(({ type, subject }) => type === 'recording.assembled' && subject === recordingId)).data, { outcome: 'complete', samples: 15_800 })
    t.match((await get(`/v1/recordings/${recordingId}`)).body, { status: 'complete', reasons: [] })
    t.equal((await run(jobId)).problem().code, 'job-not-found', 'it is done')
    await eventually(() => auditOf(jobId).some(({ outcome }) => outcome === 'done'))
    t.match(auditOf(jobId).find(({ outcome }) => outcome === 'done'), { action: 'job.rerun', callId: recordingId, actor: { kind: 'admin' }, detail: { recordingId, kind: 'assemble', parkedBecause: 'gave-up: the disk was broken' } })
  })

  t.test('who may not see them is in the audit log of whoever asked', async t => {
    const { job: { jobId } } = failedToo
    t.equal((await get('/v1/jobs', tokens.supervisor)).status, 403)
    t.equal((await get(`/v1/jobs/${jobId}`, tokens.supervisor)).status, 403)
    t.equal((await get(`/v1/jobs/${jobId}`, tokens.stranger)).status, 404)
    // In any order, as companies have partitions of their own; what was refused above already is no second entry.
    const refusalOf = async (kind: string, route: string): Promise<AuditEntry> =>
      (await probe.waitFor(({ type, data }) => type === 'audit.recorded' && data.action === 'recordings.request' && data.actor.kind === kind && data.detail.route === route, { message: `not in the log: ${kind} ${route}` })).data
    t.match(await refusalOf('supervisor', '/v1/jobs'), { code: 'forbidden', actor: { device: { kind: 'api-token', userAgent: 'node' } } })
    t.match(await refusalOf('supervisor', '/v1/jobs/:jobId'), { code: 'forbidden', detail: { params: { jobId } } })
    t.match(await refusalOf('owner', '/v1/jobs/:jobId'), { code: 'job-not-found' })
  })

  t.test('are gone with a recording that is deleted', async t => {
    const { job: { jobId }, manifest: { recordingId } } = failedToo
    t.equal((await service.call(`/v1/recordings/${recordingId}/delete`, { token: tokens.admin, body: { reason: 'of no use' } })).status, 202)
    await probe.waitFor(({ type, subject }) => type === 'recording.deleted' && subject === recordingId)
    t.equal((await run(jobId)).problem().code, 'job-not-found')
  })
})
