import { basename } from 'node:path'
import { randomUUID } from 'node:crypto'
import { test } from 'tap'
import { eq } from 'drizzle-orm'
import type { AuditEntry, Manifest } from '@tacet/contracts'
import { createLogger } from '@tacet/service-kit'
import { eventually } from '@tacet/test-kit'
import { createPorts } from '../../src/assembly.ts'
import { accesses, jobs, recordings } from '../../src/db/schema.ts'
import { createExpireRecordings } from '../../src/usecases/expire-recordings.ts'
import { actor, manifestOf } from '../helpers/manifest.ts'
import { countingSamples, publishEnded, startService, surroundings } from '../helpers/service.ts'

const companyId = '01990000-0000-7000-8000-000000000001'
const otherCompanyId = '01990000-0000-7000-8000-000000000002'

test('what becomes of finished recordings', async t => {
  const around = await surroundings(t, { TRUST_PROXY: 'loopback' })
  const tokens = {
    owner: await around.addCredential({ companyId, roles: ['owner'] }),
    admin: await around.addCredential({ companyId, roles: ['admin'] }),
    supervisor: await around.addCredential({ companyId, roles: ['supervisor'] }),
    agent: await around.addCredential({ companyId, agentId: actor.agentId, roles: ['agent'] }),
    colleague: await around.addCredential({ companyId, agentId: randomUUID(), roles: ['agent'] }),
    stranger: await around.addCredential({ companyId: otherCompanyId, roles: ['owner'] }),
  }
  const service = await startService(t, around.config)
  const { probe } = around

  const eventsOf = (recordingId: string, type: string) => probe.events.filter(event => event.type === type && event.subject === recordingId).map(({ data }) => data)
  const auditOf = (recordingId: string): AuditEntry[] => probe.events.filter(({ type, data }) => type === 'audit.recorded' && data.detail.recordingId === recordingId).map(({ data }) => data)

  async function assembled (overrides: Partial<Manifest> = {}): Promise<Manifest> {
    const manifest = manifestOf([{ fromMs: 0, toMs: 2_000 }], overrides)
    await around.putSegment(manifest, 1, countingSamples(15_800))
    await publishEnded(around, manifest)
    await probe.waitFor(({ type, subject }) => type === 'recording.assembled' && subject === manifest.recordingId)
    return manifest
  }
  const get = async (path: string, token?: string, headers: Record<string, string> = {}) => {
    const answer = await fetch(service.url + path, { headers: { ...(token !== undefined && { authorization: `Bearer ${token}` }), ...headers } })
    const bytes = Buffer.from(await answer.arrayBuffer())
    return { status: answer.status, headers: answer.headers, bytes, code: answer.status < 400 ? undefined : JSON.parse(bytes.toString()).code }
  }
  const post = (path: string, body: unknown, token: string) => service.call(path, { token, body })

  t.test('every listen and download is in the audit log, and told; many ranges are one', async t => {
    const { recordingId, callId } = await assembled()
    const path = `/v1/recordings/${recordingId}/audio`
    await Promise.all(['bytes=0-99', 'bytes=100-199', 'bytes=-10'].map(range => get(path, tokens.agent, { range })))
    const { headers } = await get(path, tokens.agent)
    t.equal((await get(path, tokens.agent, { 'if-none-match': headers.get('etag')! })).status, 304)
    t.equal((await get(path, tokens.agent, { range: 'bytes=9999999-' })).status, 416)
    await fetch(service.url + path, { method: 'HEAD', headers: { authorization: `Bearer ${tokens.admin}` } })
    const download = await get(`${path}?download=true`, tokens.supervisor)
    t.match(download.headers.get('content-disposition'), new RegExp(`^attachment; filename="2026-01-05T08-59-58_${recordingId}.wav"$`))
    t.equal((await get(path, tokens.colleague)).status, 404)

    await eventually(() => auditOf(recordingId).length >= 2)
    t.match(auditOf(recordingId), [
      { companyId, callId, action: 'recording.listen', outcome: 'done', actor: { kind: 'agent', agentId: actor.agentId, address: '127.0.0.1', device: { kind: 'api-token', userAgent: 'node' } }, detail: { version: 1, format: 'wav', via: 'token' } },
      { action: 'recording.download', actor: { kind: 'supervisor' } },
    ])
    await eventually(() => eventsOf(recordingId, 'recording.accessed').length >= 2)
    t.match(eventsOf(recordingId, 'recording.accessed'), [{ use: 'listen', via: 'token', format: 'wav', by: { agentId: actor.agentId } }, { use: 'download' }])

    await get(path, tokens.agent, { 'x-forwarded-for': '192.0.2.7' })
    await eventually(() => auditOf(recordingId).length >= 3)
    t.match(auditOf(recordingId)[2], { action: 'recording.listen', actor: { address: '192.0.2.7' } }, 'from elsewhere it is somebody else, whatever the token')

    await around.database.db.update(accesses).set({ begunAt: new Date(Date.now() - 31 * 60_000) }).where(eq(accesses.recordingId, recordingId))
    await get(path, tokens.agent)
    await eventually(() => auditOf(recordingId).length === 4, { message: 'a later sitting is another entry' })
  })

  t.test('a link lets anybody hear this version for a short time, and no other', async t => {
    const { recordingId } = await assembled()
    const order = await post(`/v1/recordings/${recordingId}/links`, { expiresInSeconds: 60, isDownload: true }, tokens.agent)
    t.equal(order.status, 201)
    const { link, expiresAt } = order.body
    t.ok(Date.parse(expiresAt) > Date.now() && Date.parse(expiresAt) < Date.now() + 61_000)
    const answer = await get(link, undefined, { range: 'bytes=0-43' })
    t.same([answer.status, answer.bytes.length], [206, 44])
    t.match(answer.headers.get('content-disposition'), /^attachment/)
    await get(link)
    await eventually(() => auditOf(recordingId).length >= 2)
    t.match(auditOf(recordingId), [{ action: 'recording.link', actor: { kind: 'agent' } }, { action: 'recording.download', actor: { kind: 'link', agentId: actor.agentId, device: { kind: 'link', userAgent: 'node' } }, detail: { via: 'link' } }])
    for (const address of ['192.0.2.1', '192.0.2.2', '192.0.2.1']) await get(link, undefined, { 'x-forwarded-for': address })
    await eventually(() => auditOf(recordingId).length >= 4)
    t.same(auditOf(recordingId).slice(1).map(({ actor }) => actor.address), ['127.0.0.1', '192.0.2.1', '192.0.2.2'], 'whoever it was passed on to is an entry of their own')

    t.match(await get(`${link}x`), { status: 403, code: 'link-invalid' })
    const short = await post(`/v1/recordings/${recordingId}/links`, { expiresInSeconds: 1 }, tokens.agent)
    await eventually(async () => (await get(short.body.link)).status === 403, { message: 'it never expired' })
    t.equal((await post(`/v1/recordings/${recordingId}/links`, {}, tokens.colleague)).problem().code, 'recording-not-found')
    await around.database.db.update(recordings).set({ version: 2 }).where(eq(recordings.recordingId, recordingId))
    t.match(await get(link), { status: 403, code: 'link-invalid' })
  })

  t.test('who may deletes a recording for ever, with a reason; nothing is left of it anywhere', async t => {
    const named = { agentId: actor.agentId, name: 'Chloe Agent', endpoint: 'PJSIP/1001', joinedAt: null, leftAt: null }
    const manifest = await assembled({ agents: [named] })
    const { recordingId } = manifest
    const path = `/v1/recordings/${recordingId}`
    const { body: { link } } = await post(`${path}/links`, {}, tokens.agent)
    const order = { reason: 'the customer asked', cause: 'consent-withdrawn' }
    t.equal((await post(`${path}/delete`, order, tokens.supervisor)).problem().code, 'forbidden')
    t.equal((await post(`${path}/delete`, order, tokens.agent)).problem().code, 'forbidden')
    t.equal((await post(`${path}/delete`, order, tokens.stranger)).problem().code, 'recording-not-found')
    t.equal((await post(`${path}/delete`, {}, tokens.admin)).problem().code, 'invalid-request')
    // A segment that could not be deleted before.
    await around.putSegment(manifest, 1, countingSamples(10))
    t.match(await post(`${path}/delete`, order, tokens.admin), { status: 202, body: { recordingId } })

    for (const part of ['', '/audio', '/timeline']) t.match(await get(path + part, tokens.agent), { status: 410, code: 'recording-deleted' })
    t.match(await get(link), { status: 410, code: 'recording-deleted' })
    t.match(await get(path, tokens.stranger), { status: 404 }, 'strangers never learn of it')
    t.equal((await post(`${path}/delete`, order, tokens.admin)).problem().code, 'recording-deleted')
    t.notOk((await service.call('/v1/recordings', { token: tokens.admin })).body.items.some((item: { recordingId: string }) => item.recordingId === recordingId))

    await probe.waitFor(({ type, subject }) => type === 'recording.deleted' && subject === recordingId)
    t.match(eventsOf(recordingId, 'recording.deleted'), [{ callId: manifest.callId, companyId, cause: 'consent-withdrawn' }])
    t.same((await around.filesOfRecordings()).filter(name => name.includes(recordingId)), [])
    t.same((await around.filesOfSpool()).filter(name => name.includes(recordingId)), [])
    const [row] = await around.database.db.select().from(recordings).where(eq(recordings.recordingId, recordingId))
    t.match(row, { customer: null, number: null, agentIds: [actor.agentId], manifest: { customer: null, number: null, agents: [{ agentId: actor.agentId }] } }, 'nor whom it was about')
    t.notMatch(JSON.stringify(row), /Chloe/, 'nor what the agent is called')
    await eventually(() => auditOf(recordingId).length >= 6)
    const entries = auditOf(recordingId).map(({ action, outcome, code, companyId }) => [action, outcome, code, companyId])
    t.same(entries.toSorted(), [
      ['recording.link', 'done', null, companyId],
      ['recording.delete', 'refused', 'forbidden', companyId],
      ['recording.delete', 'refused', 'forbidden', companyId],
      ['recording.delete', 'refused', 'recording-not-found', otherCompanyId],
      ['recording.delete', 'done', null, companyId],
      ['recording.delete', 'done', null, companyId],
    ].toSorted())
    const [ordered, done] = auditOf(recordingId).filter(({ action, outcome }) => action === 'recording.delete' && outcome === 'done')
    t.match(ordered, { actor: { kind: 'admin' }, effectiveAt: null, detail: { reason: order.reason } })
    t.match(done, { actor: { kind: 'machine' }, requestedAt: ordered!.at, effectiveAt: String, detail: { cause: order.cause, orderedBy: { credentialId: ordered!.actor.credentialId } } }, 'and that it was done')
  })

  t.test('a legal hold stands against deletion and retention until it is lifted', async t => {
    const { recordingId } = await assembled({ settings: { gaps: 'remove', minimumLengthMs: 0, retentionDays: 1, recordingChannels: 'mono', outputFormats: [] } })
    const path = `/v1/recordings/${recordingId}`
    t.match((await service.call(path, { token: tokens.agent })).body, { retainUntil: '2026-01-06T09:00:02.000Z', isOnHold: false })
    t.equal((await post(`${path}/hold`, { reason: 'a claim' }, tokens.supervisor)).problem().code, 'forbidden')
    t.match(await post(`${path}/hold`, { reason: 'a claim' }, tokens.admin), { status: 200, body: { isOnHold: true } })
    t.match((await post(`${path}/delete`, { reason: 'tidy' }, tokens.admin)).problem(), { status: 409, code: 'legal-hold' })

    const holdOf = async () => (await around.database.db.select().from(recordings).where(eq(recordings.recordingId, recordingId)))[0]!.hold
    const hold = await holdOf()
    t.match(await post(`${path}/hold`, { reason: 'a claim' }, tokens.admin), { status: 200, body: { isOnHold: true } }, 'once more is no error')
    for (const [reason, token] of [['another claim', tokens.admin], ['a claim', tokens.owner]] as const) {
      const refused = (await post(`${path}/hold`, { reason }, token)).problem()
      t.match(refused, { status: 409, code: 'already-on-hold', detail: `on hold since ${hold?.at}: a claim` }, 'a second one would end with the first')
    }
    t.same(await holdOf(), hold)
    const holds = () => auditOf(recordingId).filter(({ action }) => action === 'recording.hold').map(({ outcome, code }) => code ?? outcome)
    await eventually(() => holds().length >= 4)
    t.same(holds(), ['forbidden', 'done', 'already-on-hold', 'already-on-hold'])

    const ports = createPorts({ config: around.config, database: around.database, onEvents: () => {}, onJob: () => {} })
    const expire = createExpireRecordings({ recordings: ports.recordings, moment: () => ({ at: new Date().toISOString(), auditId: randomUUID() }), logger: createLogger({ name: 'test', level: 'silent' }) })
    await expire(new AbortController().signal)
    t.equal((await get(path, tokens.agent)).status, 200)

    t.match(await post(`${path}/hold/lift`, { reason: 'settled' }, tokens.admin), { status: 200, body: { isOnHold: false } })
    t.equal((await post(`${path}/hold/lift`, { reason: 'settled' }, tokens.admin)).problem().code, 'not-on-hold')
    // One that starts looks after what is due at once.
    const another = await startService(t, around.config)
    await eventually(async () => (await get(path, tokens.agent)).status === 410, { message: 'nobody deleted what was due' })
    await another.stop()
    await probe.waitFor(({ type, subject, data }) => type === 'recording.deleted' && subject === recordingId && data.cause === 'retention')
    t.same((await around.filesOfRecordings()).filter(name => name.includes(recordingId)), [])
    await eventually(() => auditOf(recordingId).filter(({ action, outcome }) => action === 'recording.delete' && outcome === 'done').length >= 2)
    const done = auditOf(recordingId).filter(({ action, outcome }) => action === 'recording.delete' && outcome === 'done')
    t.match(done, [{ actor: { kind: 'policy' }, effectiveAt: null }, { actor: { kind: 'machine' }, effectiveAt: String, detail: { cause: 'retention' } }])
    t.ok(auditOf(recordingId).some(({ action, outcome, code }) => action === 'recording.delete' && outcome === 'refused' && code === 'legal-hold'))
  })

  t.test('what is shorter than the company keeps is empty, which is no deletion, and of its audio nothing is kept', async t => {
    const { recordingId } = await assembled({ settings: { gaps: 'remove', minimumLengthMs: 3_000, retentionDays: null, recordingChannels: 'mono', outputFormats: ['opus'] } })
    const reason = { code: 'below-minimum-length', detail: '1975 ms were recorded, less than 3000 ms' }
    t.match(eventsOf(recordingId, 'recording.assembled'), [{ outcome: 'empty', reasons: [reason], durationMs: 0, sha256: null, links: { audio: null } }])
    await eventually(async () => (await around.database.db.select().from(jobs).where(eq(jobs.recordingId, recordingId))).length === 0)
    t.match((await service.call(`/v1/recordings/${recordingId}`, { token: tokens.agent })).body, { status: 'empty', reasons: [reason] })
    t.equal((await get(`/v1/recordings/${recordingId}/timeline`, tokens.agent)).status, 200)
    t.match(await get(`/v1/recordings/${recordingId}/audio`, tokens.agent), { status: 404, code: 'recording-not-found' })
    t.same(eventsOf(recordingId, 'recording.deleted'), [])
    t.same((await around.filesOfRecordings()).filter(name => name.includes(recordingId)).map(name => basename(name)), ['timeline.json'])
    t.notOk((await around.filesOfSpool()).some(name => name.includes(recordingId)), 'nor on the PBX')
  })

  t.test('nobody hears what can not be noted in the audit log', async t => {
    const { recordingId } = await assembled()
    await around.database.db.execute('alter table recording_assembly.accesses rename to accesses_away')
    t.teardown(() => around.database.db.execute('alter table recording_assembly.accesses_away rename to accesses'))
    t.match(await get(`/v1/recordings/${recordingId}/audio`, tokens.agent), { status: 500, code: 'internal-error' })
  })
})
