import { randomUUID } from 'node:crypto'
import pg from 'pg'
import t from 'tap'
import { credentialSchema, topics } from '@tacet/contracts'
import { hashToken } from '@tacet/service-kit'
import type { HttpAnswer } from '@tacet/test-kit'
import { assign, companyFields, createAgent, createCompany, operatorToken, startTestSettings } from '../helpers/settings.ts'

const settings = await startTestSettings(t)
const { http, operator, events, named, database } = settings
const refusal = (answer: HttpAnswer) => [answer.status, answer.problem().code]

t.test('without a valid token every route answers 401, before it looks at anything else', async t => {
  const { path } = await createCompany(settings)
  for (const token of [undefined, '', 'tct_wrong', `${operatorToken}x`]) {
    for (const [target, method] of [[path, 'GET'], ['/v1/companies', 'POST'], [`${path}/agents/not-an-id`, 'PUT'], ['/v1/policy/explain', 'GET']] as const) {
      const answer = await http(target, { method, ...(token === undefined ? {} : { token }), ...(method === 'GET' ? {} : { body: '{broken' }) })
      t.same(refusal(answer), [401, 'unauthenticated'], `${method} ${target} with ${token}`)
      t.match(answer.headers.get('www-authenticate'), /^Bearer/)
    }
  }
})

t.test('a company sees itself and nothing of another, which looks as if it did not exist', async t => {
  const [one, other] = [await createCompany(settings), await createCompany(settings)]
  const { agentId } = await createAgent(other)
  const { body: credential } = await operator(`${other.path}/credentials`, { body: { kind: 'api-token', roles: ['admin'] } })
  t.same((await one.client('/v1/companies')).body.items.map((company: { companyId: string }) => company.companyId), [one.companyId])

  const attempts = (path: string): [string, string, object?][] => [
    ['GET', path], ['PUT', path, companyFields],
    ['GET', `${path}/agents`], ['GET', `${path}/agents/${agentId}`], ['PUT', `${path}/agents/${agentId}`, { name: 'Mallory' }], ['DELETE', `${path}/agents/${agentId}`],
    ['GET', `${path}/numbers`], ['PUT', `${path}/numbers/${randomUUID()}`, { number: '100' }],
    ['GET', `${path}/credentials`], ['POST', `${path}/credentials`, { kind: 'api-token', roles: ['admin'] }], ['DELETE', `${path}/credentials/${credential.credentialId}`],
    ['GET', `${path}/policy/explain?agent=${agentId}&direction=inbound`],
  ]
  const unknown = attempts(`/v1/companies/${randomUUID()}`)
  for (const [index, [method, path, body]] of attempts(other.path).entries()) {
    const foreign = await one.client(path, { method, body })
    const absent = await one.client(unknown[index]![1], { method, body })
    t.same(refusal(foreign), [404, 'not-found'], `${method} ${path}`)
    t.same({ ...foreign.problem(), correlationId: '' }, { ...absent.problem(), correlationId: '' }, 'as an unknown one')
  }
  t.same(refusal(await one.client(`${one.path}/agents/${agentId}`)), [404, 'not-found'], 'a foreign agent in the own company')
  t.equal((await other.client(`${other.path}/agents/${agentId}`)).body.name, 'Alice', 'nothing happened to it')
})

t.test('nothing of another company is found by search, filter, export, explanation or endpoint, nor told by an error', async t => {
  const [one, other] = [await createCompany(settings), await createCompany(settings)]
  const secret = randomUUID().slice(0, 8)
  await assign(settings, other, `PJSIP/${secret}`)
  await createAgent(other, { name: secret, email: `${secret}@example.org`, endpoints: [`PJSIP/${secret}`] })
  const { body: { numberId } } = await other.client(`${other.path}/numbers`, { body: { number: '+420603777888', label: secret } })
  await other.client(`${other.path}/credentials`, { body: { kind: 'api-token', roles: ['supervisor'], label: secret } })
  const { body: { items: [own] } } = await other.client(`${other.path}/agents?q=${secret}`)
  t.equal(own.name, secret, 'the company itself finds it')

  const { agentId } = await createAgent(one)
  const lists = ['/v1/companies?', `${one.path}/agents?`, `${one.path}/numbers?`, `${one.path}/credentials?`, '/v1/audit?']
  for (const path of lists) {
    for (const query of [`q=${secret}`, 'limit=500']) t.notMatch(JSON.stringify((await one.client(path + query)).body), secret, path + query)
  }
  t.same((await one.client(`${one.path}/agents?endpoint=PJSIP%2F${secret}`)).body.items, [])
  for (const path of [`${one.path}/agents/export`, `${one.path}/numbers/export`, '/v1/audit/export']) t.notMatch((await one.client(path)).body, secret, path)

  const body = async (path: string, request: object = {}) => {
    const { correlationId: _, ...rest } = (await one.client(path, request)).problem()
    return JSON.stringify(rest)
  }
  const explain = (query: object) => body(`/v1/policy/explain?${new URLSearchParams({ agent: agentId, direction: 'internal', ...query })}`)
  t.equal(await explain({ agent: own.agentId }), await explain({ agent: randomUUID() }))
  t.equal(await explain({ peerAgent: own.agentId }), await explain({ peerAgent: randomUUID() }))
  t.equal(await explain({ number: '+420603777888' }), await explain({ number: '+420603777889' }))
  t.equal(await explain({ number: numberId }), await explain({ number: randomUUID() }))
  const take = async (endpoint: string) => (await body(`${one.path}/agents/${agentId}`, { method: 'PUT', body: { name: 'Alice', endpoints: [endpoint] } })).replaceAll(endpoint, '')
  t.equal(await take(`PJSIP/${secret}`), await take('PJSIP/nobodys'), 'an endpoint of another and one of nobody')
  t.match(await take(`PJSIP/${secret}`), /not-yours/)
  const audit = (companyId: string) => body(`/v1/audit?companyId=${companyId}`)
  t.equal(await audit(other.companyId), await audit(randomUUID()))
  const token = (agent: string) => body(`${one.path}/credentials`, { body: { kind: 'device-token', roles: ['agent'], agentId: agent } })
  t.equal(await token(own.agentId), await token(randomUUID()))
  t.equal((await one.client(`${one.path}/numbers`, { body: { number: '+420603777888' } })).status, 201, 'the same number in both')
})

t.test('only the operator creates companies; only owners and admins administer', async t => {
  const company = await createCompany(settings)
  const { agentId } = await createAgent(company)
  t.same(refusal(await company.client('/v1/companies', { body: companyFields })), [403, 'forbidden'])
  t.same(refusal(await company.client(`/v1/companies/${randomUUID()}`, { method: 'PUT', body: companyFields })), [404, 'not-found'])

  const { body: { token } } = await company.client(`${company.path}/credentials`, { body: { kind: 'api-token', roles: ['agent'], agentId } })
  for (const path of [company.path, `${company.path}/credentials`, `/v1/policy/explain?agent=${agentId}&direction=inbound`]) {
    t.same(refusal(await http(path, { token })), [403, 'forbidden'], path)
  }
  t.same((await http('/v1/companies', { token })).body, { items: [], nextCursor: null })
})

t.test('nobody hands out more than they have', async t => {
  const { path, client } = await createCompany(settings)
  const owner = { kind: 'api-token', roles: ['owner'] }
  t.same(refusal(await client(`${path}/credentials`, { body: owner })), [403, 'forbidden'])
  const { body } = await operator(`${path}/credentials`, { body: owner })
  t.equal((await http(`${path}/credentials`, { token: body.token, body: owner })).status, 201)
})

t.test('nobody takes from others what they could not give: an owner\'s key ends by an owner, also with its agent', async t => {
  const company = await createCompany(settings)
  const { path, client } = company
  const owner = (await operator(`${path}/credentials`, { body: { kind: 'api-token', roles: ['owner'] } })).body
  t.same(refusal(await client(`${path}/credentials/${owner.credentialId}`, { method: 'DELETE' })), [403, 'forbidden'])
  const { body: boss } = await operator(`${path}/agents`, { body: { name: 'Boss', roles: ['owner', 'agent'] } })
  const { body: { token } } = await operator(`${path}/credentials`, { body: { kind: 'api-token', roles: ['owner'], agentId: boss.agentId } })
  const { body: machine } = await client(`${path}/credentials`, { body: { kind: 'api-token', roles: ['service'], scopes: ['settings:write'] } })
  for (const by of [company.token, machine.token]) t.same(refusal(await http(`${path}/agents/${boss.agentId}`, { token: by, method: 'DELETE' })), [403, 'forbidden'])
  t.equal((await http(path, { token })).status, 200, 'nothing happened to it')
  t.equal((await http(`${path}/agents/${boss.agentId}`, { token: owner.token, method: 'DELETE' })).status, 204)
  t.same(refusal(await http(path, { token })), [401, 'unauthenticated'])
  t.equal((await http(`${path}/credentials/${owner.credentialId}`, { token: owner.token, method: 'DELETE' })).status, 204)
})

t.test('a token is shown once; rows, events and lists know only its hash or nothing', async t => {
  const company = await createCompany(settings)
  const { agentId } = await createAgent(company)
  const answer = await company.client(`${company.path}/credentials`, { body: { kind: 'device-token', roles: ['agent'], agentId, label: 'desk phone' } })
  const { token, credentialId } = answer.body
  t.equal(answer.status, 201)
  t.match(token, /^td_[\w-]{22,}$/, 'at least 128 bits, fit for an address')
  t.match(company.token, /^tct_[\w-]{43}$/)
  t.equal(answer.headers.get('cache-control'), 'no-store')
  t.notOk('hash' in answer.body)

  const event = await events.waitFor(({ key }) => key === credentialId)
  t.equal(event.topic, named(topics.credentials))
  t.match(credentialSchema.parse(event.data), { credentialId, companyId: company.companyId, agentId, hash: hashToken(token), version: 1, revokedAt: null })
  const entry = await events.waitFor(({ type, data }) => type === 'audit.recorded' && data.detail.entityId === credentialId)
  t.notMatch(JSON.stringify(entry.data), hashToken(token), 'the audit log has not even the hash')

  const list = await company.client(`${company.path}/credentials`)
  t.match(list.body.items.find((item: { credentialId: string }) => item.credentialId === credentialId), { label: 'desk phone', agentId })
  t.notMatch(JSON.stringify(list.body), /hash/)
  const everything = JSON.stringify([await dump(), events.events.map(({ data, headers }) => [data, headers])])
  t.ok(everything.includes(hashToken(token)))
  for (const secret of [token, company.token, operatorToken, hashToken(operatorToken)]) t.notOk(everything.includes(secret))
  t.same(refusal(await http(company.path, { token })), [401, 'unauthenticated'], 'a phone has no business here')
})

t.test('a revoked credential is refused at once and announced; revoking again changes nothing', async t => {
  const { path, client } = await createCompany(settings)
  const { body: { token, credentialId } } = await client(`${path}/credentials`, { body: { kind: 'api-token', roles: ['admin'] } })
  t.equal((await http(path, { token })).status, 200)
  t.equal((await client(`${path}/credentials/${credentialId}`, { method: 'DELETE' })).status, 204)
  t.same(refusal(await http(path, { token })), [401, 'unauthenticated'])
  t.equal((await client(`${path}/credentials/${credentialId}`, { method: 'DELETE' })).status, 204)

  const event = await events.waitFor(({ key, data }) => key === credentialId && data.version === 2)
  t.ok(event.data.revokedAt)
  const { items } = (await client(`${path}/credentials`)).body
  t.match(items.find((item: { credentialId: string }) => item.credentialId === credentialId), { version: 2, revokedAt: event.data.revokedAt })
})

t.test('a key can be read, and its label and expiry changed, with a precondition; never its token, nor by who could not make it', async t => {
  const { path, client } = await createCompany(settings)
  const { body: { credentialId, token } } = await client(`${path}/credentials`, { body: { kind: 'api-token', roles: ['supervisor'], label: 'old' } })
  const key = `${path}/credentials/${credentialId}`
  const read = await client(key)
  t.match([read.status, read.headers.get('etag'), read.body], [200, '"1"', { credentialId, label: 'old', version: 1 }])
  t.notOk('hash' in read.body || 'token' in read.body)
  const patch = (body: object, headers = {}) => client(key, { method: 'PATCH', body, headers })
  t.match((await patch({ label: 'new', expiresAt: '2099-01-01T00:00:00Z' }, { 'if-match': '"1"' })).body, { label: 'new', expiresAt: '2099-01-01T00:00:00.000Z', version: 2 })
  t.same(refusal(await patch({ label: 'lost' }, { 'if-match': '"1"' })), [412, 'precondition-failed'])
  t.match((await patch({ roles: ['owner'] })).problem(), { code: 'invalid-request', errors: [{ field: 'roles' }] })
  t.match((await patch({ expiresAt: '2020-01-01T00:00:00Z' })).problem().errors, [{ field: 'expiresAt' }])
  t.match((await patch({ expiresAt: null })).body, { expiresAt: null, version: 3 })
  t.equal((await http(path, { token })).status, 200, 'the token is the same')
  const changed = await events.waitFor(({ key: subject, data }) => subject === credentialId && data.version === 2)
  t.equal(changed.data.hash, hashToken(token))

  const { body: owner } = await operator(`${path}/credentials`, { body: { kind: 'api-token', roles: ['owner'] } })
  t.same(refusal(await client(`${path}/credentials/${owner.credentialId}`, { method: 'PATCH', body: { expiresAt: '2098-01-01T00:00:00Z' } })), [403, 'forbidden'])
  t.same(refusal(await client(key, { method: 'DELETE', headers: { 'if-match': '"2"' } })), [412, 'precondition-failed'])
  t.equal((await client(key, { method: 'DELETE', headers: { 'if-match': '"3"' } })).status, 204)
  t.same(refusal(await client(`${path}/credentials/${randomUUID()}`)), [404, 'not-found'])
})

t.test('an endpoint has a tag too: what somebody else assigned meanwhile is not taken', async t => {
  const [one, other] = [await createCompany(settings), await createCompany(settings)]
  const endpoint = '/v1/endpoints/PJSIP%2F9300'
  const put = (companyId: string, headers: Record<string, string>) => operator(endpoint, { method: 'PUT', body: { companyId }, headers })
  const etag = (await put(one.companyId, { 'if-none-match': '*' })).headers.get('etag') ?? ''
  t.equal((await operator(endpoint)).headers.get('etag'), etag)
  t.same(refusal(await put(other.companyId, { 'if-none-match': '*' })), [412, 'precondition-failed'])
  t.equal((await put(other.companyId, { 'if-match': etag })).status, 200)
  t.same(refusal(await operator(endpoint, { method: 'DELETE', headers: { 'if-match': etag } })), [412, 'precondition-failed'])
  t.equal((await operator(endpoint, { method: 'DELETE' })).status, 204)
})

t.test('an expired credential is refused; one that would be born expired is not made', async t => {
  const { path, client } = await createCompany(settings)
  const past = await client(`${path}/credentials`, { body: { kind: 'api-token', roles: ['admin'], expiresAt: '2020-01-01T00:00:00Z' } })
  t.match([past.status, past.problem().errors], [400, [{ field: 'expiresAt' }]])

  const { body: { token, expiresAt } } = await client(`${path}/credentials`, { body: { kind: 'api-token', roles: ['admin'], expiresAt: '2099-01-01T01:00:00+01:00' } })
  t.equal(expiresAt, '2099-01-01T00:00:00.000Z')
  t.equal((await http(path, { token })).status, 200)
  await query('update settings.credentials set expires_at = now() - interval \'1 second\' where hash = $1', [hashToken(token)])
  t.same(refusal(await http(path, { token })), [401, 'unauthenticated'])
})

t.test('the credentials of an agent end with the agent', async t => {
  const company = await createCompany(settings)
  const { agentId, path } = await createAgent(company, { roles: ['admin', 'agent'] })
  const { body: { token, credentialId } } = await company.client(`${company.path}/credentials`, { body: { kind: 'api-token', roles: ['admin', 'agent'], agentId } })
  t.equal((await http(company.path, { token })).status, 200)
  t.equal((await company.client(path, { method: 'DELETE' })).status, 204)
  t.same(refusal(await http(company.path, { token })), [401, 'unauthenticated'])
  const revoked = await events.waitFor(({ key, data }) => key === credentialId && data.revokedAt !== null)
  const gone = await events.waitFor(({ key, data }) => key === agentId && data === null)
  t.ok(revoked && gone)
})

async function query (text: string, values: unknown[] = []): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  try {
    return await client.query(text, values)
  } finally {
    await client.end()
  }
}

/** Every row of the schema, as text. */
async function dump (): Promise<unknown[]> {
  const { rows } = await query('select table_name as name from information_schema.tables where table_schema = \'settings\'')
  const all = []
  for (const { name } of rows) all.push((await query(`select * from settings.${name}`)).rows)
  return all
}
