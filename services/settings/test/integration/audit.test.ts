import { randomUUID } from 'node:crypto'
import pg from 'pg'
import t from 'tap'
import { topics, type AuditEntry } from '@tacet/contracts'
import { eventually, type HttpAnswer } from '@tacet/test-kit'
import { createAgent, createCompany, startTestSettings, type TestCompany } from '../helpers/settings.ts'

const settings = await startTestSettings(t)
const { http, operator, database, named, events } = settings
const refusal = (answer: HttpAnswer) => [answer.status, answer.problem().code]

/** The company's audit log, once it satisfies. */
const auditOf = async ({ client }: Pick<TestCompany, 'client'>, isComplete: (items: AuditEntry[]) => boolean, query = '') => await eventually(async () => {
  const { items } = (await client(`/v1/audit?${query}`)).body as { items: (AuditEntry & { seq: number, hash: string })[] }
  return isComplete(items) && items
}, { timeoutMs: 20_000, message: 'the audit log did not get there' })

t.test('every change is chained, newest first, with what was and what is', async t => {
  const company = await createCompany(settings)
  const { agentId, path } = await createAgent(company)
  await company.client(path, { method: 'PATCH', body: { agentInitiatedPause: 'deny' } })
  const items = await auditOf(company, items => items.length === 4)
  t.same(items.map(({ action, seq }) => [seq, action]), [[4, 'agent.update'], [3, 'agent.create'], [2, 'credential.create'], [1, 'company.create']])
  t.match(items[0], { outcome: 'done', actor: { kind: 'admin', address: '127.0.0.1', device: { kind: 'api-token', label: /^tct_.{6}$/, userAgent: 'node' } }, detail: { entityId: agentId, before: { agentInitiatedPause: 'inherit' }, after: { agentInitiatedPause: 'deny' } } })
  t.same((await company.client('/v1/audit/verify')).body, { isIntact: true, chains: [{ chain: company.companyId, entries: 4, isIntact: true, firstTampered: null }] })
})

t.test('refused requests are in it too: in the log of whoever asked', async t => {
  const [company, other] = [await createCompany(settings), await createCompany(settings)]
  const { body: { token, credentialId } } = await company.client(`${company.path}/credentials`, { body: { kind: 'api-token', roles: ['supervisor'] } })
  t.same(refusal(await http(company.path, { token, method: 'PATCH', body: { name: 'Mine' } })), [403, 'forbidden'])
  t.same(refusal(await http(other.path, { token })), [404, 'not-found'])
  const refused = await auditOf(company, items => items.length === 2, 'outcome=refused')
  t.match(refused, [
    { code: 'not-found', effectiveAt: null, actor: { credentialId }, detail: { method: 'GET', params: { companyId: other.companyId } } },
    { code: 'forbidden', action: 'settings.request', actor: { kind: 'supervisor', credentialId }, detail: { method: 'PATCH', route: '/v1/companies/:companyId' } },
  ])
  t.same((await other.client('/v1/audit?outcome=refused')).body.items, [], 'the other company sees nothing')
  await http(company.path, { token: 'tct_wrong' })
  const entry = await events.waitFor(({ data, key }) => key === 'operator' && data.code === 'unauthenticated')
  t.match(entry.data, { companyId: null, actor: { kind: 'unknown', address: '127.0.0.1', device: { kind: 'unknown', label: null, userAgent: 'node' } } })
  t.notMatch(JSON.stringify(entry.data), /tct_wrong/)
})

t.test('what is refused again and again is one entry: a read, and tokens that are tried out; each change counts', async t => {
  const company = await createCompany(settings)
  const { body: machine } = await company.client(`${company.path}/credentials`, { body: { kind: 'api-token', roles: ['service'] } })
  for (const method of ['GET', 'GET', 'PATCH', 'GET', 'PATCH']) t.same(refusal(await http(company.path, { token: machine.token, method, ...(method === 'PATCH' && { body: { name: 'x' } }) })), [403, 'forbidden'])
  const refused = await auditOf(company, items => items.length === 3, 'outcome=refused')
  t.same(refused.map(({ detail }) => detail['method']), ['PATCH', 'PATCH', 'GET'])

  for (const guess of ['one', 'two', 'three']) t.same(refusal(await http(`${company.path}/numbers/${randomUUID()}`, { token: `tct_${guess}` })), [401, 'unauthenticated'])
  t.same(refusal(await http(`${company.path}/agents/${randomUUID()}`, { token: 'tct_last' })), [401, 'unauthenticated'])
  const tried = await auditOf({ client: operator }, items => items.some(({ detail }) => String(detail['route']).endsWith('/agents/:agentId')), 'outcome=refused')
  t.equal(tried.filter(({ code, detail }) => code === 'unauthenticated' && String(detail['route']).endsWith('/numbers/:numberId')).length, 1)
})

t.test('only those who may see it see it, and only their company\'s', async t => {
  const [company, other] = [await createCompany(settings), await createCompany(settings)]
  const tokenOf = async (fields: object): Promise<string> => (await company.client(`${company.path}/credentials`, { body: { kind: 'api-token', ...fields } })).body.token
  t.same(refusal(await http('/v1/audit', { token: await tokenOf({ roles: ['supervisor'] }) })), [403, 'forbidden'])
  t.equal((await http('/v1/audit', { token: await tokenOf({ roles: ['service'], scopes: ['audit:read'] }) })).status, 200)
  for (const path of ['/v1/audit', '/v1/audit/export', '/v1/audit/verify']) {
    t.same(refusal(await company.client(`${path}?companyId=${other.companyId}`)), [404, 'not-found'], path)
  }
  const items = await auditOf({ client: operator }, items => items.length >= 4)
  t.ok(new Set(items.map(({ companyId }) => companyId)).size > 1, 'the operator sees all')
})

t.test('it is filtered, paged and exported', async t => {
  const company = await createCompany(settings)
  for (const name of ['=cmd()', 'Ben;=HYPERLINK("x")', 'Cleo']) await createAgent(company, { name })
  await auditOf(company, items => items.length === 5)
  const first = (await company.client('/v1/audit?action=agent.&limit=2')).body
  const second = (await company.client(`/v1/audit?action=agent.&limit=2&cursor=${first.nextCursor}`)).body
  t.same([...first.items, ...second.items].map(({ detail }) => detail.after.name), ['Cleo', 'Ben;=HYPERLINK("x")', '=cmd()'])
  t.equal(second.nextCursor, null)
  const { at } = first.items[0]
  t.same((await company.client(`/v1/audit?from=${at}&outcome=done&action=agent`)).body.items.length, 1)
  t.same((await company.client('/v1/audit?to=2020-01-01T00:00:00Z')).body.items, [])
  t.same((await company.client(`/v1/audit?callId=${randomUUID()}`)).body.items, [])
  for (const query of ['cursor=x', 'from=0000-01-01T00:00:00Z']) t.same(refusal(await company.client(`/v1/audit?${query}`)), [400, 'invalid-request'], query)

  const csv = await company.client('/v1/audit/export')
  t.match(csv.headers.get('content-type'), /^text\/csv/)
  const lines = csv.body.trim().split('\n')
  t.equal(lines.length, 6)
  t.match(lines[0], /^seq,at,localTime,action,outcome.*,deviceKind,deviceLabel,userAgent,/)
  t.match(lines[2], /,127\.0\.0\.1,operator-token,,node,/)
  t.notMatch(csv.body, /; *=/, 'no formula after what other spreadsheets take for the end of a cell')
  t.match(lines[1], /^1,[^,]+Z,\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+00:00,company\.create,done/)
})

t.test('the entries of other services are chained with the rest, each once', async t => {
  const company = await createCompany(settings)
  const auditId = randomUUID()
  const at = '2026-11-23T09:00:00.000Z'
  const entry: AuditEntry = {
    auditId,
    companyId: company.companyId,
    at,
    action: 'recording.pause',
    outcome: 'refused',
    code: 'pause-denied',
    callId: randomUUID(),
    actor: { kind: 'agent', credentialId: null, agentId: randomUUID(), address: '192.0.2.7' },
    requestedAt: at,
    effectiveAt: null,
    detail: { text: 'nul \u0000 and \ud800' },
  }
  await publish([entry, entry])
  const [stored] = await auditOf(company, items => items.length === 1, `callId=${entry.callId}&action=recording.`)
  t.match(stored, { ...entry, detail: {} })
  t.ok((await company.client('/v1/audit/verify')).body.isIntact)
})

t.test('the database refuses to change it, and what a superuser changes is found', async t => {
  const company = await createCompany(settings)
  for (const name of ['Anna', 'Ben', 'Cleo']) await createAgent(company, { name })
  await auditOf(company, items => items.length === 5)
  const statements = [
    'update settings_audit.audit_log set action = \'x\'',
    'delete from settings_audit.audit_log',
    'truncate settings_audit.audit_log',
    'delete from settings_audit.audit_chains',
    'drop table settings_audit.audit_log cascade',
    'drop schema settings_audit cascade',
    'alter table settings_audit.audit_log disable trigger all',
    'alter table settings_audit.audit_log owner to settings',
    'create or replace function settings_audit.refuse_change() returns trigger language plpgsql as $$ begin return new; end $$',
    'set session_replication_role = replica',
    'set role settings_audit',
  ]
  for (const statement of statements) await t.rejects(query(database.urls.settings, statement), { code: '42501' }, `the service: ${statement}`)
  // Who may not grant gets a warning, and nothing.
  await query(database.urls.settings, 'grant all on settings_audit.audit_log to settings')
  const { rows } = await query(database.url, 'select privilege_type as right from information_schema.role_table_grants where grantee = \'settings\' and table_name = \'audit_log\' order by 1') as pg.QueryResult
  t.same(rows, [{ right: 'INSERT' }, { right: 'SELECT' }])
  await t.rejects(query(database.url, 'delete from settings_audit.audit_log'), { message: /append-only/ }, 'even a superuser, by mistake')

  const tamper = (statement: string) => query(database.url, `set session_replication_role = replica; ${statement}`)
  const verified = async () => (await company.client('/v1/audit/verify')).body.chains[0].firstTampered
  const where = `where chain = '${company.companyId}' and seq`
  await tamper(`update settings_audit.audit_log set action = 'agent.read' ${where} = 5`)
  t.match(await verified(), { seq: 5, kind: 'columns' })
  await tamper(`update settings_audit.audit_log set entry = replace(entry, 'Ben', 'Bob') ${where} = 4`)
  t.match(await verified(), { seq: 4, kind: 'hash', auditId: /-/ })
  await tamper(`delete from settings_audit.audit_log ${where} = 3`)
  t.match(await verified(), { seq: 3, kind: 'missing', auditId: null })
  await tamper(`delete from settings_audit.audit_log ${where} > 2`)
  t.match(await verified(), { seq: 3, kind: 'truncated' })
})

async function query (connectionString: string, text: string): Promise<unknown> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  try {
    return await client.query(text)
  } finally {
    await client.end()
  }
}

/** As another service would, with an id of its own each time. */
async function publish (entries: AuditEntry[]): Promise<void> {
  const { Kafka, logLevel, Partitioners } = await import('kafkajs')
  const { toKafkaMessage } = await import('@tacet/service-kit')
  const producer = new Kafka({ brokers: settings.env['KAFKA_BROKERS']!.split(','), logLevel: logLevel.NOTHING }).producer({ createPartitioner: Partitioners.DefaultPartitioner })
  await producer.connect()
  const messages = entries.map(data => toKafkaMessage({ id: randomUUID(), type: 'audit.recorded', source: 'urn:tacet:call-control', subject: data.companyId ?? 'operator', time: data.at, data }))
  await producer.send({ topic: named(topics.audit), messages })
  await producer.disconnect()
}
