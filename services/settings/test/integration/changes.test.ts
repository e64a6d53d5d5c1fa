import { randomUUID } from 'node:crypto'
import pg from 'pg'
import t from 'tap'
import { openDatabase } from '@tacet/service-kit'
import { eventually, type HttpAnswer } from '@tacet/test-kit'
import { createEndpointRepository } from '../../src/adapters/endpoints.ts'
import { assign, companyFields, createAgent, createCompany, everywhere, logger, startTestSettings } from '../helpers/settings.ts'

const settings = await startTestSettings(t)
const { operator, http, events } = settings
const refusal = (answer: HttpAnswer) => [answer.status, answer.problem().code]

t.test('PATCH changes what it names, null puts the default back, the rest stays', async t => {
  const { path, client } = await createCompany(settings, { ...companyFields, gaps: 'tone', retentionDays: 30 })
  const patched = await client(path, { method: 'PATCH', body: { recording: { internal: 'off' }, retentionDays: null, longestPauseMs: 60_000 }, headers: { 'content-type': 'application/merge-patch+json' } })
  t.equal(patched.status, 200)
  t.match(patched.body, { name: 'Acme', recording: { inbound: 'on', outbound: 'on', internal: 'off' }, gaps: 'tone', retentionDays: null, longestPauseMs: 60_000, version: 2 })
  t.equal(patched.headers.get('etag'), '"2"')
  t.match((await client(path, { method: 'PATCH', body: { gaps: null } })).body, { gaps: 'remove', version: 3 })
  t.match((await client(path, { method: 'PATCH', body: {} })).body, { version: 3 }, 'nothing changed, nothing announced')

  const agentPath = `${path}/agents/${randomUUID()}`
  t.same(refusal(await client(agentPath, { method: 'PATCH', body: { name: 'Bob' } })), [404, 'not-found'], 'nothing is created')
  await operator(agentPath, { method: 'PUT', body: { name: 'Bob', email: 'bob@example.org' } })
  t.notOk('email' in (await client(agentPath, { method: 'PATCH', body: { email: null } })).body)
  t.equal((await client(agentPath, { method: 'PATCH', body: '{"__proto__":{"name":"x"}}' })).status, 400)
})

t.test('a lost update is 412: the ETag of what was read must still be the one', async t => {
  const company = await createCompany(settings)
  const { path } = await createAgent(company)
  const read = await company.client(path)
  const etag = read.headers.get('etag') ?? ''
  t.match(etag, /^"\d+"$/)
  t.equal((await company.client(path, { headers: { 'if-none-match': etag } })).status, 304)
  const change = (method: string, headers: Record<string, string>, name = method) => company.client(path, { method, headers, ...(method === 'DELETE' ? {} : { body: { name } }) })
  t.equal((await change('PUT', { 'if-match': etag })).status, 200)
  for (const method of ['PUT', 'PATCH', 'DELETE']) t.same(refusal(await change(method, { 'if-match': etag })), [412, 'precondition-failed'], method)
  t.equal((await company.client(path)).body.name, 'PUT', 'nothing of it happened')
  t.equal((await change('PATCH', { 'if-match': '"7", "2"' }, 'one of several')).status, 200)
  t.equal((await change('PATCH', { 'if-match': '*' }, 'any')).status, 200)
  t.same(refusal(await change('PUT', { 'if-none-match': '*' })), [412, 'precondition-failed'], 'create only')
  t.same(refusal(await operator(`${company.path}/agents/${randomUUID()}`, { method: 'PUT', headers: { 'if-match': '*' }, body: { name: 'New' } })), [412, 'precondition-failed'])
  t.equal((await change('DELETE', { 'if-match': '"4"' })).status, 204)

  const racers = await Promise.all([1, 2, 3, 4].map(index => company.client(company.path, { method: 'PATCH', headers: { 'if-match': '"1"' }, body: { name: `Racer ${index}` } })))
  t.same(racers.map(({ status }) => status).toSorted(), [200, 412, 412, 412])
})

t.test('lists come in pages, in a stable order, and end', async t => {
  const { path, client } = await createCompany(settings)
  for (const number of ['105', '101', '103', '102', '104']) await client(`${path}/numbers`, { body: { number } })
  const pages: string[][] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const { body }: HttpAnswer = await client(`${path}/numbers?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`)
    pages.push(body.items.map(({ number }: { number: string }) => number))
    if (pages.length === 1) await client(`${path}/numbers`, { body: { number: '100' } })
    cursor = body.nextCursor
  }
  t.same(pages, [['101', '102'], ['103', '104'], ['105']], 'what was inserted before the cursor moves nothing')

  for (const name of ['Same', 'Same', 'Same']) await client(`${path}/agents`, { body: { name } })
  const first = (await client(`${path}/agents?limit=2`)).body
  const second = (await client(`${path}/agents?limit=2&cursor=${first.nextCursor}`)).body
  t.equal(new Set([...first.items, ...second.items].map(({ agentId }) => agentId)).size, 3, 'equal names are no obstacle')
  t.equal(second.nextCursor, null)
  t.match((await client(`${path}/credentials?limit=1`)).body, { items: [{ kind: 'api-token' }], nextCursor: null })
})

t.test('lists are searched and filtered, within the company', async t => {
  const company = await createCompany(settings, { ...companyFields, name: 'Searchable 100%' })
  const { path, client } = company
  await assign(settings, company, 'PJSIP/4001')
  await createAgent(company, { name: 'Anna Nováková', email: 'anna@example.org', endpoints: ['PJSIP/4001'], agentInitiatedPause: 'deny' })
  await createAgent(company, { name: 'Ben_1' })
  await createAgent(await createCompany(settings), { name: 'Anna of another company' })
  const names = async (query: Record<string, string>) => (await client(`${path}/agents?${new URLSearchParams(query)}`)).body.items.map(({ name }: { name: string }) => name)
  t.same(await names({ q: 'anna' }), ['Anna Nováková'])
  t.same(await names({ q: 'EXAMPLE.org' }), ['Anna Nováková'])
  t.same(await names({ q: '4001' }), ['Anna Nováková'])
  t.same(await names({ q: '_' }), ['Ben_1'], 'no wildcards')
  t.same(await names({ endpoint: 'PJSIP/4001' }), ['Anna Nováková'])
  t.same(await names({ agentInitiatedPause: 'inherit' }), ['Ben_1'])
  t.same(await names({ q: 'nobody' }), [])
  t.same((await operator(`/v1/companies?q=${encodeURIComponent('100%')}`)).body.items.map(({ name }: { name: string }) => name), ['Searchable 100%'])
  const { body: { credentialId, prefix, token } } = await client(`${path}/credentials`, { body: { kind: 'api-token', roles: ['service'], scopes: ['settings:read'], label: 'reporting' } })
  t.ok(token.startsWith(prefix) && prefix.length < 12)
  const credentials = async (query: string) => (await client(`${path}/credentials?${query}`)).body.items.map(({ label }: { label: string }) => label)
  t.same(await credentials('q=report&state=active'), ['reporting'])
  t.same((await client(`${path}/credentials?q=${prefix}`)).body.items[0].prefix, prefix)
  await client(`${path}/credentials/${credentialId}`, { method: 'DELETE' })
  t.same(await credentials('q=report&state=active'), [])
  t.same(await credentials('q=report&state=revoked'), ['reporting'])
})

t.test('numbers are kept in one spelling, with the company\'s country', async t => {
  const { path, client } = await createCompany(settings, { ...companyFields, country: 'CZ' })
  const put = (number: string) => client(`${path}/numbers`, { body: { number } })
  t.equal((await put('603 123 456')).body.number, '+420603123456')
  t.same(refusal(await put('+420 603-123-456')), [409, 'already-exists'], 'the same in another spelling')
  t.equal((await put('100')).body.number, '100')
  t.same(refusal(await put('12345678901234')), [400, 'invalid-request'])
})

t.test('roles and scopes decide who may read and who may write', async t => {
  const company = await createCompany(settings)
  const { path } = await createAgent(company)
  const tokenOf = async (fields: object): Promise<string> => (await company.client(`${company.path}/credentials`, { body: { kind: 'api-token', ...fields } })).body.token
  const statuses = async (token: string) => [
    (await http(path, { token })).status,
    (await http(path, { token, method: 'PATCH', body: { name: 'Changed' } })).status,
    (await http(`${company.path}/credentials`, { token })).status,
  ]
  t.same(await statuses(await tokenOf({ roles: ['supervisor'] })), [200, 403, 403])
  t.same(await statuses(await tokenOf({ roles: ['service'] })), [403, 403, 403])
  t.same(await statuses(await tokenOf({ roles: ['service'], scopes: ['settings:read'] })), [200, 403, 403])
  t.same(await statuses(await tokenOf({ roles: ['service'], scopes: ['settings:write'] })), [200, 200, 403])
  t.same(await statuses(await tokenOf({ roles: ['admin'] })), [200, 200, 200])
  t.equal((await company.client(`${company.path}/credentials`, { body: { kind: 'api-token', roles: ['admin'], scopes: ['settings:read'] } })).status, 400)
})

t.test('a company goes with all that it has; its ids are never another\'s', async t => {
  const company = await createCompany(settings)
  const { companyId, path, client, token } = company
  await assign(settings, company, 'PJSIP/5001', 'PJSIP/5002')
  const { agentId } = await createAgent(company, { endpoints: ['PJSIP/5001'] })
  const { body: { numberId } } = await client(`${path}/numbers`, { body: { number: '100', recording: everywhere('off') } })
  t.same(refusal(await client(path, { method: 'DELETE' })), [403, 'forbidden'], 'for the operator only')
  t.equal((await operator(path, { method: 'DELETE' })).status, 204)
  for (const id of [companyId, agentId, numberId]) await events.waitFor(({ key, data }) => key === id && data === null, { message: 'no tombstone' })
  t.same(refusal(await http(path, { token })), [401, 'unauthenticated'])
  t.equal((await operator(path)).status, 404)
  t.equal((await operator('/v1/endpoints/PJSIP%2F5002')).status, 404)
  const other = await createCompany(settings)
  t.same(refusal(await operator(`${other.path}/agents/${agentId}`, { method: 'PUT', body: { name: 'Thief' } })), [409, 'already-exists'])
  t.match((await operator(path, { method: 'PUT', body: companyFields })).body, { version: 3 }, 'created again, its version goes on')
})

t.test('a company whose changes wait for each other keeps nobody else waiting', async t => {
  const [busy, other] = [await createCompany(settings), await createCompany(settings)]
  const client = new pg.Client({ connectionString: settings.database.url })
  await client.connect()
  t.teardown(() => client.end())
  const lock = [`tacet:settings:${busy.companyId}`]
  await client.query('select pg_advisory_lock(hashtextextended($1, 0))', lock)
  const changes = Array.from({ length: 15 }, (_, index) => busy.client(`${busy.path}/numbers`, { body: { number: String(100 + index) } }))
  await eventually(async () => (await client.query("select 1 from pg_stat_activity where wait_event = 'advisory' and datname = current_database()")).rowCount === 1, { message: 'nobody waits' })
  t.equal((await other.client(other.path, { method: 'PATCH', body: { name: 'Busy, too' } })).status, 200)
  t.equal((await busy.client(busy.path)).status, 200, 'nor those of the company who only read')
  await client.query('select pg_advisory_unlock(hashtextextended($1, 0))', lock)
  t.same((await Promise.all(changes)).map(({ status }) => status), Array(15).fill(201))
})

t.test('an endpoint that an agent got meanwhile is not assigned to another company', async t => {
  const [company, other] = [await createCompany(settings), await createCompany(settings)]
  await assign(settings, company, 'PJSIP/9100')
  const { agentId } = await createAgent(company, { endpoints: ['PJSIP/9100'] })
  const database = openDatabase({ url: settings.database.urls.settings, name: 'test', logger })
  t.teardown(() => database.close())
  const endpoints = createEndpointRepository(database.db)
  for (const before of [null, company.companyId]) await t.rejects(endpoints.assign('PJSIP/9100', other.companyId, before), { code: 'in-use' })
  t.same(await endpoints.find('PJSIP/9100'), { endpoint: 'PJSIP/9100', companyId: company.companyId, agentId })
})
