import { randomUUID } from 'node:crypto'
import t from 'tap'
import { createOpenApi } from '../../src/openapi.ts'
import { assign, companyFields, createAgent, createCompany, startTestSettings } from '../helpers/settings.ts'

const settings = await startTestSettings(t, { SETTINGS_JWKS_ORIGINS: 'http://127.0.0.1:1' })
const { http, operator } = settings

type Ids = Record<'companyId' | 'agentId' | 'numberId' | 'credentialId' | 'endpoint', string>
interface Operation { method: string, path: string }

const { paths } = await createOpenApi() as { paths: Record<string, Record<string, unknown>> }
const operations: Operation[] = Object.entries(paths).flatMap(([path, methods]) => Object.keys(methods).map(method => ({ method: method.toUpperCase(), path })))
const withId = operations.filter(({ path }) => path.includes('{'))

const provider = { issuer: 'https://id.example.org', jwksUrl: 'http://127.0.0.1:1/keys' }
const bodies: Record<string, object | string> = {
  '/v1/companies/{companyId}': companyFields,
  '/v1/companies/{companyId}/agents': { name: 'Mallory' },
  '/v1/companies/{companyId}/agents/{agentId}': { name: 'Mallory' },
  '/v1/companies/{companyId}/numbers': { number: '4711' },
  '/v1/companies/{companyId}/numbers/{numberId}': { number: '4711' },
  '/v1/companies/{companyId}/numbers/import': 'number\n4711\n',
  '/v1/companies/{companyId}/agents/import': 'name\nMallory\n',
  '/v1/companies/{companyId}/credentials': { kind: 'api-token', roles: ['supervisor'] },
  '/v1/companies/{companyId}/identity-provider': provider,
  '/v1/endpoints/{endpoint}': { companyId: randomUUID() },
}

/** What somebody learns by an operation on these ids: status and body, but for the ids themselves. */
async function learn (token: string, { method, path }: Operation, ids: Ids): Promise<string> {
  const url = path.replaceAll(/\{(\w+)\}/g, (_, name: keyof Ids) => encodeURIComponent(ids[name]))
  const query = path.endsWith('/explain') ? `?agent=${ids.agentId}&direction=inbound` : ''
  const body = ['PUT', 'POST', 'PATCH'].includes(method) ? bodies[path] : undefined
  const headers = typeof body === 'string' ? { 'content-type': 'text/csv' } : {}
  const answer = await http(url + query, { method, token, headers, ...(body === undefined ? {} : { body }) })
  const shown = Object.entries(ids).reduce((text, [name, id]) => text.replaceAll(id, name), JSON.stringify(answer.body))
  return `${answer.status} ${answer.headers.get('etag')} ${shown.replace(/"correlationId":"[^"]*"/, '')}`
}

t.test('by no route with an id in it can an id of another company be told from one that never was', async t => {
  t.ok(withId.length >= 20, `${withId.length} operations`)
  const [own, other] = [await createCompany(settings), await createCompany(settings)]
  const endpoint = `PJSIP/${randomUUID().slice(0, 8)}`
  await assign(settings, other, endpoint)
  const { agentId } = await createAgent(other, { endpoints: [endpoint] })
  const { body: { numberId } } = await other.client(`${other.path}/numbers`, { body: { number: '4712' } })
  const { body: { credentialId } } = await other.client(`${other.path}/credentials`, { body: { kind: 'api-token', roles: ['admin'] } })
  const foreign: Ids = { companyId: other.companyId, agentId, numberId, credentialId, endpoint }
  const absent = (): Ids => ({ companyId: randomUUID(), agentId: randomUUID(), numberId: randomUUID(), credentialId: randomUUID(), endpoint: `PJSIP/${randomUUID().slice(0, 8)}` })
  const { agentId: colleague } = await createAgent(own)
  const tokenOf = async (fields: object): Promise<string> => (await operator(`${own.path}/credentials`, { body: { kind: 'api-token', ...fields } })).body.token
  const tokens = {
    owner: await tokenOf({ roles: ['owner'] }),
    admin: await tokenOf({ roles: ['admin'] }),
    supervisor: await tokenOf({ roles: ['supervisor'] }),
    agent: await tokenOf({ roles: ['agent'], agentId: colleague }),
    service: await tokenOf({ roles: ['service'], scopes: ['settings:read', 'settings:write', 'audit:read'] }),
  }

  async function compare (role: string, token: string, operation: Operation): Promise<void> {
    const name = `${role}: ${operation.method} ${operation.path}`
    const there = await learn(token, operation, foreign)
    t.equal(there, await learn(token, operation, absent()), name)
    t.match(there, /^40[034] /, name)
    if (!/\{companyId\}.*\{/.test(operation.path)) return
    const inOwn = { companyId: own.companyId }
    t.equal(await learn(token, operation, { ...foreign, ...inOwn }), await learn(token, operation, { ...absent(), ...inOwn }), `${name}, in the own company`)
  }
  for (const [role, token] of Object.entries(tokens)) await Promise.all(withId.map(operation => compare(role, token, operation)))
  t.match((await other.client(`${other.path}/agents/${agentId}`)).body, { name: 'Alice', version: 1 }, 'nothing happened to it')
})

t.test('nor by a CSV that names it, nor by an id that stands in a body or a query', async t => {
  const [own, other] = [await createCompany(settings), await createCompany(settings)]
  const { agentId } = await createAgent(other)
  const { body: { numberId } } = await other.client(`${other.path}/numbers`, { body: { number: '4712' } })
  const learned = async (id: string, path: string, request: object) => {
    const answer = await own.client(path, request)
    return `${answer.status} ${JSON.stringify(answer.body).replaceAll(id, 'id').replace(/"correlationId":"[^"]*"/, '')}`
  }
  const csv = (what: string, text: string) => [`${own.path}/${what}/import?dryRun=true`, { method: 'POST', body: text, headers: { 'content-type': 'text/csv' } }] as const
  const attempts: [string, (id: string) => readonly [string, object]][] = [
    [agentId, id => csv('agents', `agentId,name\n${id},Mallory\n`)],
    [numberId, id => csv('numbers', `numberId,number\n${id},4711\n`)],
    [agentId, id => [`${own.path}/credentials`, { body: { kind: 'device-token', roles: ['agent'], agentId: id } }]],
    [agentId, id => [`${own.path}/credentials?agentId=${id}`, {}]],
    [agentId, id => [`/v1/audit?agentId=${id}`, {}]],
    [other.companyId, id => [`/v1/endpoints?companyId=${id}`, {}]],
    [other.companyId, id => [`/v1/audit?companyId=${id}`, {}]],
  ]
  for (const [id, attempt] of attempts) {
    const unknown = randomUUID()
    t.equal(await learned(id, ...attempt(id)), await learned(unknown, ...attempt(unknown)), attempt(id)[0])
  }
  t.match((await own.client(...csv('agents', `agentId,name\n${agentId},Mallory\n`))).body.errors, [{ line: 2, code: 'not-found', field: 'agentId' }])
})

t.test('whoever is of a company creates under an id that is drawn for them; the operator may choose it', async t => {
  const company = await createCompany(settings)
  const { client, path } = company
  const created = await client(`${path}/agents`, { body: { name: 'Anna' } })
  t.match([created.status, created.headers.get('etag'), created.headers.get('location')], [201, '"1"', `${path}/agents/${created.body.agentId}`])
  t.equal((await client(created.headers.get('location') ?? '')).body.name, 'Anna')
  const chosen = `${path}/agents/${randomUUID()}`
  t.equal((await client(chosen, { method: 'PUT', body: { name: 'Ben' } })).status, 404)
  t.equal((await operator(chosen, { method: 'PUT', body: { name: 'Ben' } })).status, 201)
  t.match(await client(chosen, { method: 'PUT', body: { name: 'Benedict' } }), { status: 200, body: { name: 'Benedict', version: 2 } })
})
