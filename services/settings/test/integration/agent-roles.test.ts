import { randomUUID } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import t from 'tap'
import { migrationsFolder } from '@tacet/settings'
import { agentSchema } from '@tacet/contracts'
import type { HttpAnswer } from '@tacet/test-kit'
import { createAgent, createCompany, startTestSettings, type TestCompany } from '../helpers/settings.ts'

const settings = await startTestSettings(t)
const { http, operator, events } = settings
const refusal = (answer: HttpAnswer) => [answer.status, answer.problem().code]
const fieldsOf = (answer: HttpAnswer) => answer.problem().errors?.map(({ field }) => field)
const keyOf = ({ client, path }: TestCompany, agentId: string, roles: string[], kind = 'api-token') => client(`${path}/credentials`, { body: { kind, agentId, roles } })

t.test('an agent is an agent unless told otherwise, and can be found by role', async t => {
  const company = await createCompany(settings)
  await createAgent(company)
  const { agentId, path } = await createAgent(company, { name: 'Lead', roles: ['supervisor', 'agent'] })
  t.match((await company.client(`${company.path}/agents`)).body.items, [{ name: 'Alice', roles: ['agent'] }, { name: 'Lead', roles: ['supervisor', 'agent'] }])
  t.match((await company.client(`${company.path}/agents?role=supervisor`)).body.items.map((item: { agentId: string }) => item.agentId), [agentId])
  const event = await events.waitFor(({ key }) => key === agentId)
  t.same(agentSchema.parse(event.data).roles, ['supervisor', 'agent'])
  for (const roles of [[], ['king'], ['service'], ['agent', 'agent']]) t.equal((await company.client(path, { method: 'PATCH', body: { roles } })).status, 400, JSON.stringify(roles))
})

t.test('roles are given as keys are: by whom has them', async t => {
  const company = await createCompany(settings)
  const { path } = await createAgent(company)
  const as = (token: string) => (roles: string[]) => http(path, { token, method: 'PATCH', body: { roles } })
  const asAdmin = as(company.token)
  const refused = await asAdmin(['owner', 'agent'])
  t.same([...refusal(refused), fieldsOf(refused)], [403, 'forbidden', ['roles']])
  t.equal((await asAdmin(['admin', 'agent'])).status, 200)
  const { body: machine } = await company.client(`${company.path}/credentials`, { body: { kind: 'api-token', roles: ['service'], scopes: ['settings:write'] } })
  t.same(refusal(await as(machine.token)(['agent'])), [403, 'forbidden'], 'nor taken away')
  t.equal((await http(path, { token: machine.token, method: 'PATCH', body: { name: 'Alicia' } })).status, 200, 'what does not concern them goes on')

  t.equal((await operator(path, { method: 'PATCH', body: { roles: ['owner'] } })).status, 200)
  t.equal((await company.client(path, { method: 'PATCH', body: { name: 'Alice' } })).status, 200)
  t.same(refusal(await asAdmin(['agent'])), [403, 'forbidden'])

  const csv = (text: string) => company.client(`${company.path}/agents/import`, { method: 'POST', body: text, headers: { 'content-type': 'text/csv' } })
  t.match((await csv('name,roles\nBen,agent owner\n')).problem(), { code: 'import-refused', errors: [{ line: 2, field: 'roles', code: 'forbidden' }] })
  t.match((await csv('name,roles\nCy,agent supervisor\n')).body, { created: 1 })
  t.match((await company.client(`${company.path}/agents/export`)).body, /^[^,]+,Cy,,,agent supervisor,/m)
})

t.test('a key is no more than its agent, and what the agent is no longer, no key is', async t => {
  const company = await createCompany(settings)
  const { agentId, path } = await createAgent(company, { roles: ['supervisor', 'agent'] })
  for (const roles of [['admin'], ['supervisor', 'owner'], ['service']]) {
    const answer = await keyOf({ ...company, client: (path, request) => operator(path, request) }, agentId, roles)
    t.same([...refusal(answer), fieldsOf(answer)], [400, 'invalid-request', ['roles']], roles.join())
  }
  const { body: both } = await keyOf(company, agentId, ['supervisor', 'agent'])
  const { body: lead } = await keyOf(company, agentId, ['supervisor'])
  t.equal((await http(company.path, { token: both.token })).status, 200)

  t.equal((await company.client(path, { method: 'PATCH', body: { roles: ['agent'] } })).status, 200)
  t.same(refusal(await http(company.path, { token: both.token })), [403, 'forbidden'], 'an agent reads no settings')
  t.same(refusal(await http(company.path, { token: lead.token })), [401, 'unauthenticated'], 'what would be nothing is revoked')
  const narrowed = await events.waitFor(({ key, data }) => key === both.credentialId && data.version === 2)
  t.match(narrowed.data, { roles: ['agent'], revokedAt: null })
  t.ok((await events.waitFor(({ key, data }) => key === lead.credentialId && data.version === 2)).data.revokedAt)
  t.same(refusal(await keyOf(company, agentId, ['supervisor'])), [400, 'invalid-request'])
  const phone = await keyOf(company, agentId, ['agent', 'supervisor'], 'device-token')
  t.same([phone.status, fieldsOf(phone)], [400, ['roles']])
})

t.test('agents from before they had roles keep those of their keys', async t => {
  const company = await createCompany(settings)
  const client = new pg.Client({ connectionString: settings.database.url })
  await client.connect()
  t.teardown(() => client.end())
  const agents = await Promise.all([['agent'], ['supervisor'], ['admin', 'service']].map(async roles => {
    const { agentId } = await createAgent(company)
    const row = [randomUUID(), company.companyId, agentId, roles, randomUUID()]
    await client.query("insert into settings.credentials (credential_id, company_id, agent_id, kind, label, roles, hash, version) values ($1, $2, $3, 'api-token', '', $4, $5, 1)", row)
    return agentId
  }))
  const [file = ''] = (await readdir(migrationsFolder)).filter(name => name.endsWith('roles_of_agents.sql'))
  const [, fill = ''] = (await readFile(join(migrationsFolder, file), 'utf8')).split('--> statement-breakpoint')
  await client.query(fill)
  const { rows } = await client.query('select agent_id, roles from settings.agents where company_id = $1', [company.companyId])
  const rolesOf = (agentId: string | undefined) => rows.find(row => row.agent_id === agentId)?.roles
  t.same(agents.map(rolesOf), [['agent'], ['agent', 'supervisor'], ['admin', 'agent']])
})
