import { randomUUID } from 'node:crypto'
import t from 'tap'
import { companySchema, topics } from '@tacet/contracts'
import { eventually } from '@tacet/test-kit'
import { assign, companyFields, createAgent, createCompany, everywhere, startTestSettings } from '../helpers/settings.ts'

const settings = await startTestSettings(t)
const { events, operator, named } = settings

/** Each topic has its own order, so what is awaited on one says nothing of the other. */
const changesOf = (id: string, count: number) => eventually(() => {
  const found = events.events.filter(({ topic, key }) => topic === named(topics.settings) && key === id)
  return found.length >= count && found
}, { message: `not ${count} changes` })
const auditOf = (id: string, count: number) => eventually(() => {
  const found = events.events.filter(({ type, data }) => type === 'audit.recorded' && data.detail.entityId === id)
  return found.length >= count && found
}, { message: `not ${count} audit entries` })

t.test('a new company is announced on the compacted topic, and in the audit log', async t => {
  const companyId = randomUUID()
  const answer = await operator(`/v1/companies/${companyId}`, { method: 'PUT', body: companyFields })
  t.equal(answer.status, 201)

  const event = await events.waitFor(({ key, type }) => key === companyId && type === 'company.changed')
  t.match(event, { topic: named(topics.settings), type: 'company.changed', subject: companyId, source: 'urn:tacet:settings' })
  t.same(event.data, answer.body)
  t.match(companySchema.parse(event.data), { companyId, version: 1, transfers: 'stop', timeZone: 'UTC' })

  const entry = await events.waitFor(({ type, data }) => type === 'audit.recorded' && data.detail.entityId === companyId)
  t.match(entry, { topic: named(topics.audit), key: companyId, data: { companyId, action: 'company.create', outcome: 'done', actor: { kind: 'operator', address: '127.0.0.1' } } })
  t.equal(entry.data.detail.before, null)
  t.same(entry.data.detail.after, answer.body)
})

t.test('each change of an agent has a greater version, and tells who made it, what was and what is', async t => {
  const company = await createCompany(settings)
  await assign(settings, company, 'PJSIP/grow')
  const { agentId, path } = await createAgent(company, { endpoints: ['PJSIP/grow'] })
  const changed = await company.client(path, { method: 'PUT', body: { name: 'Alice', endpoints: ['PJSIP/grow'], agentInitiatedPause: 'deny' } })
  t.match(changed, { status: 200, body: { version: 2, agentInitiatedPause: 'deny' } })

  t.same((await changesOf(agentId, 2)).map(({ data }) => data.version), [1, 2])
  const [created, updated] = await auditOf(agentId, 2)
  t.match(created?.data, { action: 'agent.create', detail: { before: null } })
  t.match(updated?.data, { action: 'agent.update', actor: { kind: 'admin' }, detail: { before: { agentInitiatedPause: 'inherit' }, after: { agentInitiatedPause: 'deny' } } })
  t.ok(updated?.data.actor.credentialId)
})

t.test('a deleted number is a tombstone, and its version goes on when it is created again', async t => {
  const { path, client } = await createCompany(settings)
  const numberId = randomUUID()
  const number = `${path}/numbers/${numberId}`
  const body = { number: '+420111222333', label: 'Sales' }
  t.equal((await operator(number, { method: 'PUT', body })).status, 201)
  t.equal((await client(number, { method: 'DELETE' })).status, 204)
  t.equal((await client(number)).status, 404)
  t.equal((await client(number, { method: 'DELETE' })).status, 404)
  t.match(await operator(number, { method: 'PUT', body }), { status: 201, body: { version: 3 } })

  t.same((await changesOf(numberId, 3)).map(({ data }) => data?.version ?? null), [1, null, 3])
  t.same((await auditOf(numberId, 3)).map(({ data }) => data.action), ['number.create', 'number.delete', 'number.create'])
})

t.test('a PUT that says what is already so announces nothing', async t => {
  const company = await createCompany(settings)
  const { agentId, path } = await createAgent(company, { email: 'alice@example.com' })
  const same = { name: 'Alice', email: 'alice@example.com' }
  t.match(await company.client(path, { method: 'PUT', body: same }), { status: 200, body: { version: 1 } })
  t.match(await company.client(path, { method: 'PUT', body: { name: 'Alice' } }), { status: 200, body: { version: 2 } }, 'leaving the e-mail out removes it')
  t.match(await operator(company.path, { method: 'PUT', body: companyFields }), { status: 200, body: { version: 1 } })

  const changes = await changesOf(agentId, 2)
  t.same(changes.map(({ data }) => data.version), [1, 2])
  t.notOk('email' in changes[1]?.data)
})

t.test('many writers at once leave versions without gap or repetition, in their order', async t => {
  const company = await createCompany(settings)
  const { agentId, path } = await createAgent(company)
  const writes = Array.from({ length: 20 }, (_, index) => company.client(path, { method: 'PUT', body: { name: `Alice ${index}` } }))
  const versions = (await Promise.all(writes)).map(({ body }) => body.version as number)
  t.same(versions.toSorted((a, b) => a - b), Array.from({ length: 20 }, (_, index) => index + 2))

  t.same((await changesOf(agentId, 21)).map(({ data }) => data.version), Array.from({ length: 21 }, (_, index) => index + 1))
})

t.test('an id means one thing for ever, whatever its kind or company', async t => {
  const [one, other] = [await createCompany(settings), await createCompany(settings)]
  const { agentId, path } = await createAgent(one)
  const put = (path: string, body: object) => operator(path, { method: 'PUT', body })
  for (const answer of [
    await put(`${one.path}/numbers/${agentId}`, { number: '101' }),
    await put(`${other.path}/agents/${agentId}`, { name: 'Mallory' }),
    await put(`${one.path}/agents/${other.companyId}`, { name: 'Mallory' }),
    await put(`/v1/companies/${agentId}`, companyFields),
  ]) t.match([answer.status, answer.problem().code], [409, 'already-exists'])
  t.match(await one.client(path), { status: 200, body: { name: 'Alice' } })
})

t.test('ids are the same in any spelling', async t => {
  const company = await createCompany(settings)
  const { agentId } = await createAgent(company)
  const shouted = `${company.path}/agents/${agentId.toUpperCase()}`
  t.match(await company.client(shouted, { method: 'PUT', body: { name: 'Bob' } }), { status: 200, body: { agentId, version: 2 } })
})

t.test('republishing tells everything again with the versions it has', async t => {
  const company = await createCompany(settings)
  const { agentId } = await createAgent(company)
  t.equal((await company.client('/v1/republish', { method: 'POST' })).status, 403)
  const answer = await operator('/v1/republish', { method: 'POST' })
  t.equal(answer.status, 202)
  t.ok(answer.body.entities >= 3)

  await events.waitFor(({ type, data, key }) => type === 'audit.recorded' && key === company.companyId && data.action === 'settings.republish')
  for (const id of [agentId, company.companyId]) {
    const [first, second] = await changesOf(id, 2)
    t.not(second?.id, first?.id)
    t.same(second?.data, first?.data)
  }
})

t.test('a change that is refused half-way leaves no row and no event', async t => {
  const [one, other] = [await createCompany(settings), await createCompany(settings)]
  const { agentId: taken } = await createAgent(other)
  const answer = await operator(`${one.path}/agents/${taken}`, { method: 'PUT', body: { name: 'Mallory', endpoints: ['PJSIP/half'] } })
  t.equal(answer.status, 409)
  await assign(settings, one, 'PJSIP/half')
  const { agentId } = await createAgent(one, { endpoints: ['PJSIP/half'] })
  await changesOf(agentId, 1)
  t.same((await changesOf(taken, 1)).map(({ data }) => data.companyId), [other.companyId])
})

t.test('the correlation id of a request goes with its events', async t => {
  const company = await createCompany(settings, { ...companyFields, recording: everywhere('off') })
  await company.client(company.path, { method: 'PUT', body: companyFields, headers: { 'x-correlation-id': 'demo-7' } })
  const event = await events.waitFor(({ key, data }) => key === company.companyId && data.version === 2, { message: 'no second version' })
  t.equal(event.headers['ce_correlationid'], 'demo-7')
})
