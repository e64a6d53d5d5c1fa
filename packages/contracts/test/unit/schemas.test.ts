import { randomUUID } from 'node:crypto'
import t from 'tap'
import {
  commandRequestSchema, createCredentialSchema, credentialViewSchema, endpointNameSchema, eventAttributesSchema, eventCatalogue, explainQuerySchema,
  payloadSchema, putAgentSchema, putCompanySchema, putNumberSchema, telephoneNumberSchema, timestampSchema, topics,
} from '@tacet/contracts'

const onEverywhere = { inbound: 'on', outbound: 'on', internal: 'on' }
const inheritEverywhere = { inbound: 'inherit', outbound: 'inherit', internal: 'inherit' }

t.test('a company must say what it records; the rest has the defaults of the product', async t => {
  t.same(putCompanySchema.parse({ name: ' Acme ', recording: onEverywhere, agentInitiatedPause: 'allow' }), {
    name: 'Acme',
    timeZone: 'UTC',
    recording: onEverywhere,
    agentInitiatedPause: 'allow',
    locks: { recording: false, agentInitiatedPause: false },
    transfers: 'stop',
    gaps: 'remove',
    longestPauseMs: 600_000,
    afterLongestPause: 'none',
    retentionDays: null,
    minimumLengthMs: 0,
    recordingChannels: 'mono',
    outputFormats: [],
    country: null,
  })
  t.same(putCompanySchema.safeParse({ name: 'Acme' }).error?.issues.map(issue => issue.path[0]), ['recording', 'agentInitiatedPause'])
})

t.test('a company as it was published before it had more settings still reads, with the defaults', async t => {
  const old = { companyId: randomUUID(), version: 3, name: 'Acme', timeZone: 'UTC', recording: onEverywhere, agentInitiatedPause: 'deny', locks: { recording: true, agentInitiatedPause: false }, transfers: 'continue' }
  t.match(payloadSchema(topics.settings, 'company.changed')?.parse(old), { ...old, gaps: 'remove', afterLongestPause: 'none', retentionDays: null })
})

t.test('numbers and agents inherit unless they say otherwise', async t => {
  t.match(putNumberSchema.parse({ number: '+420123456789' }), { recording: inheritEverywhere, agentInitiatedPause: 'inherit', label: '' })
  t.match(putAgentSchema.parse({ name: 'Alice' }), { recording: inheritEverywhere, agentInitiatedPause: 'inherit', endpoints: [] })
})

t.test('a request with a field that nobody knows is refused', async t => {
  t.notOk(putAgentSchema.safeParse({ name: 'Alice', recordng: onEverywhere }).success)
  t.notOk(putNumberSchema.safeParse({ number: '100', inherit: true }).success)
  t.notOk(commandRequestSchema.safeParse({ reason: 'card' }).success)
  t.notOk(createCredentialSchema.safeParse({ kind: 'api-token', roles: ['agent'], token: 'mine' }).success)
})

t.test('telephone numbers are extensions or E.164', async t => {
  for (const good of ['+420123456789', '100', '420123456789']) t.ok(telephoneNumberSchema.safeParse(good).success, good)
  for (const bad of ['', '+', '1', '+42 012', 'abc', '1234567890123456', '+1234567890123456']) t.notOk(telephoneNumberSchema.safeParse(bad).success, bad)
})

t.test('text is one line that PostgreSQL and JSON can hold', async t => {
  for (const bad of ['', '  ', 'a\u0000b', 'a\nb', 'a\ud800', 'x'.repeat(121)]) t.notOk(putAgentSchema.safeParse({ name: bad }).success, JSON.stringify(bad))
  t.ok(putAgentSchema.safeParse({ name: 'Žofie 🦊' }).success)
})

t.test('a time is one that PostgreSQL can hold, also once it is in UTC', async t => {
  for (const good of ['2026-11-23T09:00:00.000Z', '0001-01-01T00:00:00Z', '0000-12-31T23:30:00-01:00', '9999-12-31T23:59:59.999Z']) t.ok(timestampSchema.safeParse(good).success, good)
  for (const bad of ['0000-01-01T00:00:00Z', '0001-01-01T00:00:00+00:01', '9999-12-31T23:30:00-01:00', '2026-02-30T00:00:00Z', 'yesterday']) {
    t.same(timestampSchema.safeParse(bad).error?.issues.length, 1, bad)
  }
})

t.test('a time zone has a name that the tz database knows', async t => {
  const company = { name: 'Acme', recording: onEverywhere, agentInitiatedPause: 'allow' }
  for (const good of ['UTC', 'Europe/Prague']) t.ok(putCompanySchema.safeParse({ ...company, timeZone: good }).success, good)
  for (const bad of ['', 'Prague', '+01:00', 'Europe/Atlantis']) t.notOk(putCompanySchema.safeParse({ ...company, timeZone: bad }).success, bad)
})

t.test('a credential that acts for an agent names the agent', async t => {
  const agentId = randomUUID()
  t.ok(createCredentialSchema.safeParse({ kind: 'api-token', roles: ['admin'] }).success)
  t.ok(createCredentialSchema.safeParse({ kind: 'device-token', roles: ['agent'], agentId }).success)
  const wrongFields = (fields: object) => createCredentialSchema.safeParse(fields).error?.issues.map(({ path }) => path.join('.'))
  for (const bad of [{ kind: 'device-token', roles: ['agent'] }, { kind: 'api-token', roles: ['agent'] }]) t.same(wrongFields(bad), ['agentId'])
  for (const roles of [['admin'], ['agent', 'supervisor'], ['agent', 'agent']]) t.same(wrongFields({ kind: 'device-token', roles, agentId }), ['roles'], roles.join())
})

t.test('the number to explain may be an id or a number, also with its + unescaped', async t => {
  const query = { agent: randomUUID(), direction: 'inbound' }
  t.equal(explainQuerySchema.parse({ ...query, number: ' 420123456789' }).number, '+420123456789')
  const id = randomUUID()
  t.equal(explainQuerySchema.parse({ ...query, number: id }).number, id)
  t.equal(explainQuerySchema.parse({ ...query, number: '00000000-0000-4000-8000-000000000001' }).number, '00000000-0000-4000-8000-000000000001', 'an id of digits')
  t.equal(explainQuerySchema.parse({ ...query, number: '(02) 603-123.456' }).number, '02603123456')
  t.notOk(explainQuerySchema.safeParse({ ...query, number: 'sales' }).success)
})

t.test('endpoints are technology and resource', async t => {
  for (const good of ['PJSIP/1001', 'SIP/alice', 'PJSIP/alice.b-c@host']) t.ok(endpointNameSchema.safeParse(good).success, good)
  for (const bad of ['1001', 'PJSIP/', '/1001', 'PJSIP/a b', 'PJSIP/a/b']) t.notOk(endpointNameSchema.safeParse(bad).success, bad)
  t.notOk(putAgentSchema.safeParse({ name: 'Alice', endpoints: ['PJSIP/1', 'PJSIP/1'] }).success, 'one endpoint twice')
})

t.test('what is shown of a credential has no hash in it', async t => {
  t.notOk('hash' in credentialViewSchema.shape)
})

t.test('a payload schema is found by topic and type, and only where that type belongs', async t => {
  for (const [topic, events] of Object.entries(eventCatalogue)) {
    for (const [type, schema] of Object.entries(events)) t.equal(payloadSchema(topic, type), schema, `${topic} ${type}`)
  }
  t.equal(payloadSchema(topics.calls, 'agent.changed'), undefined)
  t.equal(payloadSchema(topics.calls, 'toString'), undefined)
  t.equal(payloadSchema('nobody.knows.v1', 'call.ended'), undefined)
})

t.test('readers tolerate fields that a later version added', async t => {
  const data = { callId: randomUUID(), companyId: randomUUID(), seq: 3, at: '2026-11-23T09:00:00.000Z', reason: 'hangup' }
  t.same(payloadSchema(topics.calls, 'call.ended')!.parse({ ...data, mood: 'good' }), data)
})

t.test('events without an id, type, source, subject or time are refused', async t => {
  const attributes = { id: randomUUID(), type: 'call.ended', source: 'call-control', subject: randomUUID(), time: '2026-11-23T09:00:00.000Z' }
  t.ok(eventAttributesSchema.safeParse(attributes).success)
  for (const name of Object.keys(attributes)) t.notOk(eventAttributesSchema.safeParse({ ...attributes, [name]: undefined }).success, name)
})
