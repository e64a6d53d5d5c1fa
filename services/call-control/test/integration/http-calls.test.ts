import t, { type Test } from 'tap'
import { commandAnswerSchema, liveCallListSchema, problem, problemSchema, recordingStatusSchema, type AuditEntry } from '@tacet/contracts'
import { createOpenApi } from '../../src/openapi.ts'
import { createHttpLab, tokens, type Answer } from '../support/http.ts'
import { anna, ben, company, companyId, otherCompanyId } from '../support/rules.ts'

const unknownCall = 'f0000000-0000-4000-8000-000000000000'

const isProblem = (t: Test, { status, headers, body }: Answer, code: string, expectedStatus: number) => {
  t.match(headers['content-type'], 'application/problem+json')
  t.match(problemSchema.parse(body), { code, status: expectedStatus, type: `urn:tacet:problem:${code}` })
  t.equal(status, expectedStatus)
}

t.test('an agent pauses and resumes their call', async t => {
  const { lab, send } = await createHttpLab(t)
  const { call: { callId } } = await lab.answerCall()
  const pause = await send({ url: `/v1/calls/${callId}/recording/pause`, token: tokens.anna, body: { note: 'card number' } })
  t.equal(pause.status, 200)
  t.match(commandAnswerSchema.parse(pause.body), { callId, recordingId: callId, state: 'paused', reasons: ['agent'], durable: true, allowedActions: ['resume'] })
  const resume = await send({ url: `/v1/calls/${callId}/recording/resume`, token: tokens.anna, method: 'POST' })
  t.match(resume, { status: 200, body: { state: 'recording', reasons: [] } })
  t.ok(resume.body.seq > pause.body.seq)
})

t.test('stop and start are other names', async t => {
  const { lab, send } = await createHttpLab(t)
  const { call: { callId } } = await lab.answerCall()
  t.match(await send({ url: `/v1/calls/${callId}/recording/stop`, token: tokens.anna, method: 'POST' }), { body: { state: 'paused' } })
  t.match(await send({ url: `/v1/calls/${callId}/recording/start`, token: tokens.anna, method: 'POST' }), { body: { state: 'recording' } })
})

t.test('bad input is a 400 that names the field', async t => {
  const { lab, send } = await createHttpLab(t)
  const { call: { callId } } = await lab.answerCall()
  const url = `/v1/calls/${callId}/recording/pause`
  const refused = async (request: Parameters<typeof send>[0], field: string) => {
    const answer = await send({ token: tokens.anna, ...request })
    isProblem(t, answer, 'invalid-request', 400)
    t.same(answer.body.errors.map((error: { field: string }) => error.field), [field])
  }
  await refused({ url, body: { note: 7 } }, 'note')
  await refused({ url, body: { note: 'x'.repeat(201) } }, 'note')
  // PostgreSQL could not store these, and the call's commits would wait for ever.
  for (const note of ['a\u0000b', '\ud800']) await refused({ url, body: { note } }, 'note')
  await refused({ url, body: { reason: 'unknown' } }, 'reason')
  await refused({ url: '/v1/calls/not-an-id/recording/pause', method: 'POST' }, 'callId')
  await refused({ url: '/v1/calls/not-an-id/recording' }, 'callId')
  await refused({ url: '/v1/calls?agent=not-an-id' }, 'agent')
  await refused({ url, method: 'POST', headers: { 'idempotency-key': 'x'.repeat(201) } }, 'idempotency-key')
  isProblem(t, await send({ url, token: tokens.anna, body: '{"note":' }), 'malformed-json', 400)
  isProblem(t, await send({ url, token: tokens.anna, method: 'POST', headers: { 'content-type': 'text/xml' }, body: '<pause/>' }), 'unsupported-media-type', 415)
  t.equal(lab.follower.session(callId)?.call.recording.phase.status, 'recording')
})

t.test('without a valid token nothing is answered, not even whether the call exists', async t => {
  const { lab, send } = await createHttpLab(t)
  const { call: { callId } } = await lab.answerCall()
  for (const token of [undefined, 'wrong-0123456789abcdefghijk', tokens.revoked, tokens.annasPhone]) {
    for (const id of [callId, unknownCall, 'not-an-id']) {
      isProblem(t, await send({ url: `/v1/calls/${id}/recording/pause`, method: 'POST', ...(token && { token }) }), 'unauthenticated', 401)
    }
    isProblem(t, await send({ url: '/v1/calls', ...(token && { token }) }), 'unauthenticated', 401)
  }
})

t.test('another agent\'s call is answered exactly as one that never was', async t => {
  const { lab, send } = await createHttpLab(t)
  const { call: { callId } } = await lab.answerCall()
  const ask = async (id: string, token: string, path: string, method: 'GET' | 'POST') => {
    const answer = await send({ url: `/v1/calls/${id}/${path}`, token, method })
    isProblem(t, answer, 'call-not-found', 404)
    const { correlationId, ...body } = answer.body
    return body
  }
  const { paths } = await createOpenApi() as { paths: Record<string, Record<string, unknown>> }
  const routes = Object.entries(paths).filter(([path]) => path.includes('{callId}')).flatMap(([path, methods]) => Object.keys(methods).map(method => [path.replace('/v1/calls/{callId}/', ''), method.toUpperCase() as 'GET' | 'POST'] as const))
  t.equal(routes.length, 5)
  for (const token of [tokens.ben, tokens.stranger]) {
    for (const [path, method] of routes) t.same(await ask(callId, token, path, method), await ask(unknownCall, token, path, method), `${method} ${path}`)
  }
  t.same((await send({ url: `/v1/calls?agent=${anna}`, token: tokens.stranger })).body, { items: [] })
  const phone = async (sipCallId: string) => {
    const answer = await send({ url: `/phone/v1/${tokens.bensPhone}/pause?callId=${sipCallId}` })
    isProblem(t, answer, 'no-live-call', 404)
    const { correlationId, ...body } = answer.body
    return body
  }
  t.same(await phone('anna-sip'), await phone('never-was'), 'nor by the Call-ID that a phone names')
  t.equal(lab.follower.session(callId)?.call.recording.phase.status, 'recording')
})

t.test('a service may do what its scopes name, and no more', async t => {
  const { lab, send } = await createHttpLab(t)
  const { call: { callId } } = await lab.answerCall()
  const requests = [{ url: '/v1/calls' }, { url: `/v1/calls/${callId}/recording` }, { url: `/v1/calls/${callId}/recording/pause`, method: 'POST' as const }]
  const statuses = async (token: string) => (await Promise.all(requests.map(request => send({ ...request, token })))).map(({ status }) => status)
  t.same(await statuses(tokens.unscoped), [403, 403, 403])
  t.same(await statuses(tokens.reader), [200, 200, 403])
  t.equal(lab.follower.session(callId)?.call.recording.phase.status, 'recording')
  t.same((await send({ url: '/v1/calls', token: tokens.reader })).body.items[0].recording.allowedActions, [])
  isProblem(t, await send({ ...requests[2]!, token: tokens.reader }), 'forbidden', 403)
  t.match(lab.messages().flatMap(({ type, data }) => type === 'audit.recorded' && (data as AuditEntry).action === 'recording.pause' ? [data] : []), [1, 2, 3].map(() => ({ action: 'recording.pause', outcome: 'refused', code: 'forbidden', actor: { kind: 'service' } })))
  t.same(await statuses(tokens.machine), [403, 403, 200])
  t.match(lab.follower.session(callId)?.call.recording.reasons, ['machine'])
})

t.test('a call that has ended is a 409, and its status can still be read', async t => {
  const { lab, send } = await createHttpLab(t)
  const { call: { callId } } = await lab.answerCall()
  await lab.hangUp()
  isProblem(t, await send({ url: `/v1/calls/${callId}/recording/pause`, token: tokens.anna, method: 'POST' }), 'call-ended', 409)
  t.match((await send({ url: `/v1/calls/${callId}/recording`, token: tokens.anna })).body, { state: 'ended', endReason: 'hangup', allowedActions: [] })
  t.match((await send({ url: '/v1/calls', token: tokens.anna })).body, { items: [] })
})

t.test('a refusal names the level that decided', async t => {
  const { lab, send } = await createHttpLab(t, { company: company({ agentInitiatedPause: 'deny' }) })
  const { call: { callId } } = await lab.answerCall()
  const answer = await send({ url: `/v1/calls/${callId}/recording/pause`, token: tokens.anna, method: 'POST' })
  isProblem(t, answer, 'pause-denied', 403)
  t.equal(answer.body.decidedBy, 'company')
})

t.test('an Idempotency-Key makes a repetition harmless', async t => {
  const { lab, send } = await createHttpLab(t)
  const { call: { callId } } = await lab.answerCall()
  const press = () => send({ url: `/v1/calls/${callId}/recording/pause`, token: tokens.anna, method: 'POST', headers: { 'idempotency-key': 'press-1' } })
  const first = await press()
  await send({ url: `/v1/calls/${callId}/recording/resume`, token: tokens.anna, method: 'POST' })
  t.same((await press()).body, first.body)
  t.equal(lab.follower.session(callId)?.call.recording.phase.status, 'recording')
})

t.test('the status and the list of live calls are as the contracts say', async t => {
  const { lab, send } = await createHttpLab(t)
  const { call: { callId } } = await lab.answerCall()
  t.match(recordingStatusSchema.parse((await send({ url: `/v1/calls/${callId}/recording`, token: tokens.anna })).body), { state: 'recording', allowedActions: ['pause'], segments: [{ number: 1, closedAt: null }] })
  const list = async (token: string, query = '') => liveCallListSchema.parse((await send({ url: `/v1/calls${query}`, token })).body).items.map(item => item.callId)
  t.same(await list(tokens.anna), [callId])
  t.same(await list(tokens.supervisor), [callId])
  t.same(await list(tokens.supervisor, `?agent=${anna}`), [callId])
  t.same(await list(tokens.supervisor, `?agent=${ben}`), [])
  t.same(await list(tokens.ben), [])
  t.same(await list(tokens.stranger), [])
  const { body: { items: [item] } } = await send({ url: '/v1/calls', token: tokens.anna })
  t.match(item, { companyId, direction: 'inbound', number: '+442071838750', customer: '+447700900123', agentIds: [anna], isOnHold: false, sipCallIds: ['trunk-sip', 'anna-sip'], recording: { state: 'recording', allowedActions: ['pause'] } })
})

t.test('an upper-case call id is the same call', async t => {
  const { lab, send } = await createHttpLab(t)
  const { call: { callId } } = await lab.answerCall()
  t.equal((await send({ url: `/v1/calls/${callId.toUpperCase()}/recording`, token: tokens.anna })).status, 200)
})

t.test('a pause that can not be proven is a 503 that says when to ask again', async t => {
  const { lab, send } = await createHttpLab(t)
  const { call: { callId } } = await lab.answerCall()
  lab.driver.faults.loseStopProof = true
  const answer = await send({ url: `/v1/calls/${callId}/recording/pause`, token: tokens.anna, method: 'POST' })
  isProblem(t, answer, 'pause-unconfirmed', 503)
  t.equal(answer.headers['retry-after'], '1')
})

t.test('a standby says so, and when to ask again', async t => {
  const { send } = await createHttpLab(t, { watch: () => { throw problem('standby', undefined, { retryAfterSeconds: 2 }) } })
  const answer = await send({ url: '/v1/calls', token: tokens.anna })
  isProblem(t, answer, 'standby', 503)
  t.equal(answer.headers['retry-after'], '2')
})

t.test('each key has a budget of its own; whoever only tries keys out has one for all of them', async t => {
  const { lab, send } = await createHttpLab(t, { rateLimitPerMinute: 5 })
  await lab.answerCall()
  const statuses = async (ask: (index: number) => Parameters<typeof send>[0]) => {
    const answers: number[] = []
    for (let index = 0; index < 6; index += 1) answers.push((await send(ask(index))).status)
    return answers
  }
  t.same(await statuses(() => ({ url: '/v1/calls', token: tokens.anna })), [200, 200, 200, 200, 200, 429])
  const refused = await send({ url: '/v1/calls', token: tokens.anna })
  isProblem(t, refused, 'rate-limited', 429)
  t.ok(Number(refused.headers['retry-after']) > 0)
  t.equal((await send({ url: '/v1/calls', token: tokens.supervisor })).status, 200, 'another key')
  t.same(await statuses(() => ({ url: `/phone/v1/${tokens.annasPhone}/status` })), [200, 200, 200, 200, 200, 429])
  t.equal((await send({ url: `/phone/v1/${tokens.bensPhone}/status` })).status, 404, 'another phone, that has no call')
  t.same(await statuses(index => ({ url: index % 2 === 0 ? '/v1/calls' : `/phone/v1/guess-0123456789abcdefgh-${index}/status`, token: `guess-0123456789abcdefgh-${index}` })), [401, 401, 401, 401, 401, 429])
})

t.test('what is refused before it is a command is in the audit log of whoever asked, without a secret', async t => {
  const { lab, send } = await createHttpLab(t)
  const { call: { callId } } = await lab.answerCall()
  const audits = async (...requests: Parameters<typeof send>[0][]) => {
    const before = lab.messages().length
    for (const request of requests) await send(request)
    return lab.messages().slice(before).filter(({ type }) => type === 'audit.recorded').map(({ data }) => data as AuditEntry)
  }
  const status = { url: `/v1/calls/${callId}/recording`, token: tokens.stranger }
  t.match(await audits(status, status), [{ companyId: otherCompanyId, action: 'calls.request', outcome: 'refused', code: 'call-not-found', callId: null, detail: { method: 'GET', params: { callId } } }], 'asked twice, told once')
  t.match(await audits({ url: '/v1/calls', token: tokens.machine }), [{ companyId, code: 'forbidden', actor: { kind: 'service' } }])
  const guess = { url: `/v1/calls/${callId}/recording/pause`, method: 'POST' as const, token: 'guess-0123456789abcdefghijkl' }
  const guesses = await audits(guess, guess, { url: '/phone/v1/guess-0123456789abcdefghijkl/toggle' }, { url: '/v1/calls' })
  t.match(guesses, [{ companyId: null, action: 'recording.pause', code: 'unauthenticated', actor: { kind: 'unknown', address: '127.0.0.1', device: { kind: 'unknown', label: null } } }, { action: 'recording.toggle' }], 'tried again, told once')
  t.equal(guesses.length, 2, 'who brings no token tries nothing')
  const press = { url: `/phone/v1/${tokens.bensPhone}/pause` }
  const presses = await audits(press, press, { url: `/phone/v1/${tokens.bensPhone}/status` })
  t.match(presses, [{ companyId, action: 'recording.pause', code: 'no-live-call', actor: { agentId: ben, device: { kind: 'device-token' } } }, { action: 'recording.pause' }, { action: 'calls.request' }])
  t.notMatch(JSON.stringify([...guesses, ...presses]), /guess-|bens-phone/)
})
