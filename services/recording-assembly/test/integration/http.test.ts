import { randomUUID } from 'node:crypto'
import { rename, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { test } from 'tap'
import { encodeWav } from '@tacet/audio'
import { eventually } from '@tacet/test-kit'
import { createOpenApi } from '../../src/openapi.ts'
import { actor, manifestOf } from '../helpers/manifest.ts'
import { countingSamples, publishEnded, sha256, startService, surroundings } from '../helpers/service.ts'

const companyId = '01990000-0000-7000-8000-000000000001'
const otherCompanyId = '01990000-0000-7000-8000-000000000002'
const bodies: Record<string, object> = { links: {}, delete: { reason: 'x' }, purge: { reason: 'x', fromMs: 0, toMs: 10, version: 1 }, hold: { reason: 'x' }, 'hold/lift': { reason: 'x' } }
const colleagueId = '01990000-0000-7000-8000-000000001002'

test('the API of recordings', async t => {
  const around = await surroundings(t)
  const tokens = {
    operator: await around.addCredential({}),
    supervisor: await around.addCredential({ companyId, roles: ['supervisor'] }),
    service: await around.addCredential({ companyId, roles: ['service'], scopes: ['recordings:read'] }),
    agent: await around.addCredential({ companyId, agentId: actor.agentId, roles: ['agent'] }),
    colleague: await around.addCredential({ companyId, agentId: colleagueId, roles: ['agent'] }),
    stranger: await around.addCredential({ companyId: otherCompanyId, roles: ['owner'] }),
    phone: await around.addCredential({ companyId, agentId: actor.agentId, roles: ['agent'], kind: 'device-token' }),
    revoked: await around.addCredential({ companyId, roles: ['owner'], revokedAt: '2026-01-01T00:00:00.000Z' }),
  }
  const service = await startService(t, around.config)

  const manifest = manifestOf([{ fromMs: 0, toMs: 2_000 }])
  const { recordingId } = manifest
  const samples = countingSamples(15_800)
  const whole = encodeWav({ sampleRateHz: 8000, channels: 1, bitsPerSample: 16 }, samples)
  await around.putSegment(manifest, 1, samples)
  await publishEnded(around, manifest)
  await around.probe.waitFor(({ type }) => type === 'recording.assembled')

  const path = `/v1/recordings/${recordingId}`
  const etag = `"${sha256(whole)}"`
  const ask = async (headers: Record<string, string>, method = 'GET') => {
    const answer = await fetch(`${service.url}${path}/audio`, { method, headers: { authorization: `Bearer ${tokens.operator}`, ...headers } })
    return { status: answer.status, headers: Object.fromEntries(answer.headers), bytes: Buffer.from(await answer.arrayBuffer()) }
  }

  t.test('gives the whole file, named by its digest', async t => {
    const answer = await ask({})
    t.match(answer, { status: 200, headers: { etag, 'content-type': 'audio/wav', 'accept-ranges': 'bytes', 'content-length': String(whole.length) } })
    t.ok(whole.equals(answer.bytes))
  })

  t.test('gives the part that was asked for, from either end', async t => {
    const cases: [string, number, number][] = [['bytes=0-43', 0, 43], ['bytes=1000-', 1000, whole.length - 1], ['bytes=-500', whole.length - 500, whole.length - 1], ['bytes=5-5', 5, 5], ['bytes=0-999999999', 0, whole.length - 1]]
    for (const [range, start, end] of cases) {
      const answer = await ask({ range })
      t.match(answer, { status: 206, headers: { 'content-range': `bytes ${start}-${end}/${whole.length}`, 'content-length': String(end - start + 1), etag } }, range)
      t.ok(whole.subarray(start, end + 1).equals(answer.bytes), `${range}: the bytes`)
    }
  })

  t.test('refuses a part outside the file, and says how long it is', async t => {
    const answer = await ask({ range: `bytes=${whole.length}-` })
    t.match(answer, { status: 416, headers: { 'content-range': `bytes */${whole.length}`, 'content-type': 'application/problem+json' } })
    t.match(JSON.parse(answer.bytes.toString()), { code: 'range-not-satisfiable' })
  })

  t.test('gives all of it when it does not understand the range, or the file is another one', async t => {
    for (const headers of [{ range: 'pages=1-2' }, { range: 'bytes=0-1,4-5' }, { range: 'bytes=0-43', 'if-range': '"another"' }]) {
      const answer = await ask(headers)
      t.equal(answer.status, 200)
      t.equal(answer.bytes.length, whole.length)
    }
    t.equal((await ask({ range: 'bytes=0-43', 'if-range': etag })).status, 206)
  })

  t.test('gives nothing to who has it already', async t => {
    for (const header of [etag, `"x", ${etag}`, '*']) t.match(await ask({ 'if-none-match': header }), { status: 304, headers: { etag }, bytes: { length: 0 } })
    t.equal((await ask({ 'if-none-match': '"another"' })).status, 200)
  })

  t.test('answers the other conditions of RFC 9110', async t => {
    const { 'last-modified': modified = '' } = (await ask({}, 'HEAD')).headers
    t.equal(new Date(modified).toUTCString(), modified)
    const [before, after] = [-1, 1].map(hours => new Date(Date.parse(modified) + hours * 3_600_000).toUTCString()) as [string, string]
    for (const headers of [{ 'if-match': '"another"' }, { 'if-match': '"another"', 'if-none-match': etag }, { 'if-unmodified-since': before }]) {
      const answer = await ask(headers)
      t.equal(answer.status, 412)
      t.match(JSON.parse(answer.bytes.toString()), { code: 'precondition-failed' })
    }
    for (const headers of [{ 'if-match': etag }, { 'if-match': '*' }, { 'if-unmodified-since': modified }, { 'if-modified-since': before }, { 'if-none-match': '"another"', 'if-modified-since': after }]) {
      t.equal((await ask(headers)).status, 200, JSON.stringify(headers))
    }
    t.match(await ask({ 'if-modified-since': modified }), { status: 304, bytes: { length: 0 } })
    t.equal((await ask({ 'if-match': etag, range: 'bytes=0-43' })).status, 206)
  })

  t.test('answers HEAD as GET, without the bytes', async t => {
    t.match(await ask({}, 'HEAD'), { status: 200, headers: { etag, 'content-type': 'audio/wav', 'content-length': String(whole.length), 'accept-ranges': 'bytes' }, bytes: { length: 0 } })
    t.match(await ask({ 'if-none-match': etag }, 'HEAD'), { status: 304 })
    t.equal((await fetch(`${service.url}${path}/audio`, { method: 'HEAD' })).status, 401)
    t.equal((await service.call('/v1/linked-audio?link=a.b')).status, 403)
    t.match((await around.probe.waitFor(({ type, data }) => type === 'audit.recorded' && data.code === 'link-invalid')).data, { companyId: null, actor: { kind: 'unknown' }, detail: { params: {} } })
  })

  t.test('shows a recording only to who may see it; for the others there is none', async t => {
    for (const who of ['operator', 'supervisor', 'service', 'agent'] as const) {
      for (const part of ['', '/timeline', '/audio']) t.equal((await service.call(path + part, { token: tokens[who] })).status, 200, `${who} ${part}`)
      t.match((await service.call('/v1/recordings', { token: tokens[who] })).body, { items: [{ recordingId }] }, `${who} lists it`)
    }
    const { paths } = await createOpenApi() as { paths: Record<string, Record<string, unknown>> }
    const routes = Object.entries(paths).filter(([route]) => route.includes('{recordingId}')).flatMap(([route, methods]) => Object.keys(methods).map(method => [method.toUpperCase(), route] as const))
    t.ok(routes.length >= 10, `${routes.length} routes`)
    for (const who of ['colleague', 'stranger'] as const) {
      const learn = async (id: string, method: string, route: string) => {
        const body = bodies[route.split('/').slice(4).join('/')]
        const answer = await service.call(route.replace('{recordingId}', id), { token: tokens[who], method, ...(method === 'POST' && { body }) })
        return { status: answer.status, body: method === 'HEAD' ? null : { ...answer.problem(), correlationId: '' } }
      }
      for (const [method, route] of routes) {
        const answer = await learn(recordingId, method, route)
        t.match(answer, { status: 404, ...(method !== 'HEAD' && { body: { code: 'recording-not-found' } }) }, `${who} ${method} ${route}`)
        t.same(answer, await learn(randomUUID(), method, route), 'as if it did not exist')
      }
      t.same((await service.call('/v1/recordings', { token: tokens[who] })).body, { items: [], nextCursor: null })
    }
    const refused = (params: object) => around.probe.waitFor(({ type, data }) => type === 'audit.recorded' && isDeepStrictEqual({ ...params, outcome: 'refused' }, { action: data.action, code: data.code, companyId: data.companyId, outcome: data.outcome }))
    for (const action of ['recordings.request', 'recording.delete', 'recording.purge', 'recording.hold', 'recording.lift-hold']) {
      const { data } = await refused({ action, code: 'recording-not-found', companyId: otherCompanyId })
      t.match(data, { callId: null, actor: { kind: 'owner', credentialId: /-/ } }, `${action} is in the log of whoever asked`)
    }
    for (const token of [tokens.phone, tokens.revoked, 'nonsense', undefined]) {
      t.equal((await service.call(path, token === undefined ? {} : { token })).problem().code, 'unauthenticated')
    }
  })

  t.test('refuses what is no id', async t => {
    for (const id of ['..%2f..%2fetc', 'x', '%00', `${recordingId}%2f..`]) {
      const answer = await service.call(`/v1/recordings/${id}/audio`, { token: tokens.operator })
      t.ok([400, 404].includes(answer.status) && ['invalid-request', 'not-found'].includes(answer.problem().code), `${id}: ${answer.status}`)
    }
    t.match((await service.call('/v1/recordings?limit=0', { token: tokens.operator })).problem(), { code: 'invalid-request', errors: [{ field: 'limit' }] })
    t.equal((await service.call(path.toUpperCase().replace('V1/RECORDINGS', 'v1/recordings'), { token: tokens.operator })).status, 200, 'an id in capitals is the same')
  })

  t.test('lists the newest first, as many as asked for', async t => {
    const later = manifestOf([], { startedAt: '2026-02-01T00:00:00.000Z' })
    await publishEnded(around, later)
    await around.probe.waitFor(({ type, subject }) => type === 'recording.assembled' && subject === later.recordingId)
    const list = async (query = '') => (await service.call(`/v1/recordings${query}`, { token: tokens.supervisor })).body.items.map((item: { recordingId: string }) => item.recordingId)
    t.same(await list(), [later.recordingId, recordingId])
    t.same(await list('?limit=1'), [later.recordingId])
  })

  t.test('says that a recording is not ready while its segments can not be reached', async t => {
    const waiting = manifestOf([{ fromMs: 0, toMs: 2_000 }])
    await around.putSegment(waiting, 1, samples)
    const spool = join(around.spoolDir, 'recording')
    await rename(spool, `${spool}-away`)
    await publishEnded(around, waiting)
    const waitingPath = `/v1/recordings/${waiting.recordingId}`
    const view = async () => (await service.call(waitingPath, { token: tokens.operator })).body
    await eventually(async () => (await view()).status === 'assembling')
    t.match(await view(), { outcome: null, durationMs: null, samples: null, sha256: null, links: { audio: null, timeline: null } })
    for (const part of ['/audio', '/timeline']) t.equal((await service.call(waitingPath + part, { token: tokens.operator })).problem().code, 'not-ready')
    await rename(`${spool}-away`, spool)
    const assembled = await around.probe.waitFor(({ type, subject }) => type === 'recording.assembled' && subject === waiting.recordingId)
    t.match(assembled.data, { outcome: 'complete', samples: 15_800 }, 'and nothing is missing once they are back')
  })

  t.test('says that the store has failed when the file is away or cut', async t => {
    const file = join(around.recordingsDir, recordingId.slice(0, 2), recordingId, '1', 'recording.wav')
    await rename(file, `${file}-away`)
    t.match((await service.call(`${path}/audio`, { token: tokens.operator })).problem(), { status: 503, code: 'storage-unavailable' })
    await rename(`${file}-away`, file)
    await truncate(file, 1_000)
    t.equal((await ask({})).status, 503, 'a file that lost bytes does not pass for a whole one')
  })
})
