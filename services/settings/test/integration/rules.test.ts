import { randomUUID } from 'node:crypto'
import t from 'tap'
import type { HttpAnswer } from '@tacet/test-kit'
import { assign, companyFields, createAgent, createCompany, everywhere, startTestSettings } from '../helpers/settings.ts'

const settings = await startTestSettings(t)
const { operator } = settings
const refusal = (answer: HttpAnswer) => [answer.status, answer.problem().code, answer.problem().errors?.map(({ field }) => field)]

t.test('an agent uses endpoints of the company, each one agent; any other is not yours', async t => {
  const [one, other] = [await createCompany(settings), await createCompany(settings)]
  await assign(settings, one, 'PJSIP/2001', 'PJSIP/2002')
  await assign(settings, other, 'PJSIP/2003')
  const { path } = await createAgent(one, { endpoints: ['PJSIP/2001', 'PJSIP/2002'] })
  const put = ({ client, path }: typeof one, endpoints: string[]) => client(`${path}/agents`, { body: { name: 'Bob', endpoints } })
  t.same(refusal(await put(one, ['PJSIP/2002'])), [409, 'already-exists', ['endpoints.0']], 'a colleague\'s')
  const foreign = await put(other, ['PJSIP/2003', 'PJSIP/2002'])
  t.same(refusal(foreign), [400, 'not-yours', ['endpoints.1']], 'another company\'s')
  const unassigned = await put(other, ['PJSIP/2003', 'PJSIP/2009'])
  t.equal(unassigned.problem().detail, foreign.problem().detail?.replace('2002', '2009'), 'nobody\'s looks the same')

  t.equal((await one.client(path, { method: 'PUT', body: { name: 'Alice', endpoints: ['PJSIP/2001'] } })).status, 200)
  t.equal((await put(one, ['PJSIP/2002'])).status, 201, 'free again')
  t.equal((await one.client(path, { method: 'DELETE' })).status, 204)
  t.equal((await put(one, ['PJSIP/2001'])).status, 201, 'and after a delete')
})

t.test('the operator assigns endpoints; giving an unassigned one to an agent assigns it', async t => {
  const [one, other] = [await createCompany(settings), await createCompany(settings)]
  const at = (endpoint: string) => `/v1/endpoints/${encodeURIComponent(endpoint)}`
  const agentId = randomUUID()
  t.equal((await operator(`${one.path}/agents/${agentId}`, { method: 'PUT', body: { name: 'Alice', endpoints: ['PJSIP/3001'] } })).status, 201)
  t.same((await operator(at('PJSIP/3001'))).body, { endpoint: 'PJSIP/3001', companyId: one.companyId, agentId })
  t.same(refusal(await operator(`${other.path}/agents/${randomUUID()}`, { method: 'PUT', body: { name: 'Bob', endpoints: ['PJSIP/3001'] } })), [400, 'not-yours', ['endpoints.0']], 'also to the operator')
  t.same(refusal(await operator(at('PJSIP/3001'), { method: 'PUT', body: { companyId: other.companyId } })), [409, 'in-use', undefined])
  t.same(refusal(await operator(at('PJSIP/3001'), { method: 'DELETE' })), [409, 'in-use', undefined])

  t.equal((await operator(at('PJSIP/3002'), { method: 'PUT', body: { companyId: one.companyId } })).status, 201)
  t.same((await one.client('/v1/endpoints')).body.items.map(({ endpoint }: { endpoint: string }) => endpoint), ['PJSIP/3001', 'PJSIP/3002'])
  t.same((await other.client('/v1/endpoints')).body.items, [])
  t.same((await other.client(`/v1/endpoints?companyId=${one.companyId}`)).body.items, [])
  t.same(refusal(await other.client(at('PJSIP/3002'))), [404, 'not-found', undefined])
  t.same(refusal(await one.client(at('PJSIP/3003'), { method: 'PUT', body: { companyId: one.companyId } })), [403, 'forbidden', undefined])
  t.equal((await operator(at('PJSIP/3002'), { method: 'PUT', body: { companyId: other.companyId } })).status, 200, 'nobody used it')
  t.equal((await operator(at('PJSIP/3002'), { method: 'DELETE' })).status, 204)
  t.equal((await operator(at('PJSIP/3002'))).status, 404)
  t.equal((await operator(at('PJSIP/3002'), { method: 'PUT', body: { companyId: randomUUID() } })).status, 404)
})

t.test('of many agents that want one endpoint at the same moment, one gets it', async t => {
  const companies = [await createCompany(settings), await createCompany(settings), await createCompany(settings)]
  const answers = await Promise.all(companies.flatMap(({ path }) => [1, 2, 3].map(() =>
    operator(`${path}/agents/${randomUUID()}`, { method: 'PUT', body: { name: 'Racer', endpoints: ['PJSIP/race-b', 'PJSIP/race-a'].toSorted(() => Math.random() - 0.5) } }))))
  t.equal(answers.filter(({ status }) => status === 201).length, 1)
  t.ok(answers.every(({ status }) => [201, 400, 409].includes(status)), answers.map(({ status }) => status).join())
})

t.test('a company has each number once; another company may have the same extension', async t => {
  const [one, other] = [await createCompany(settings), await createCompany(settings)]
  const put = ({ path }: typeof one, id: string, number: string) => operator(`${path}/numbers/${id}`, { method: 'PUT', body: { number } })
  const [first, second] = [randomUUID(), randomUUID()]
  t.equal((await put(one, first, '100')).status, 201)
  t.same(refusal(await put(one, second, '100')), [409, 'already-exists', ['number']])
  t.equal((await put(other, randomUUID(), '100')).status, 201)
  t.equal((await put(one, first, '101')).status, 200)
  t.equal((await put(one, second, '100')).status, 201)
  t.same((await one.client(`${one.path}/numbers`)).body.items.map(({ number }: { number: string }) => number), ['100', '101'])
})

t.test('explain names the level that decided each part and the chain it went through', async t => {
  const company = await createCompany(settings, { ...companyFields, agentInitiatedPause: 'deny' })
  const { agentId } = await createAgent(company)
  await company.client(`${company.path}/numbers`, { body: { number: '+420111222333', recording: { ...everywhere('inherit'), inbound: 'off' }, agentInitiatedPause: 'allow' } })
  const query = new URLSearchParams({ agent: agentId, number: '+420111222333', direction: 'inbound' })
  const { status, body } = await company.client(`/v1/policy/explain?${query}`)
  t.equal(status, 200)
  t.same(body, {
    recording: {
      value: 'off',
      decidedBy: 'number',
      isLocked: false,
      chain: [{ level: 'agent', value: 'inherit', isLocked: false }, { level: 'number', value: 'off', isLocked: false }, { level: 'company', value: 'on', isLocked: false }],
    },
    agentInitiatedPause: {
      value: 'allow',
      decidedBy: 'number',
      isLocked: false,
      chain: [{ level: 'agent', value: 'inherit', isLocked: false }, { level: 'number', value: 'allow', isLocked: false }, { level: 'company', value: 'deny', isLocked: false }],
    },
    effective: { isRecorded: false, mayPause: true },
    peer: null,
  })
  t.same((await company.client(`${company.path}/policy/explain?${query}`)).body, body)
  t.same((await operator(`/v1/policy/explain?${query}`)).body, body)

  await company.client(company.path, { method: 'PUT', body: { ...companyFields, locks: { recording: true, agentInitiatedPause: false } } })
  t.match((await company.client(`/v1/policy/explain?${query}`)).body.recording, { value: 'on', decidedBy: 'company', isLocked: true })
})

t.test('explain of an internal call shows both agents and what they make together', async t => {
  const company = await createCompany(settings)
  const { agentId } = await createAgent(company)
  const { agentId: peerAgent } = await createAgent(company, { recording: everywhere('off'), agentInitiatedPause: 'deny' })
  const explain = async (query: Record<string, string>) => (await company.client(`/v1/policy/explain?${new URLSearchParams(query)}`)).body
  t.match(await explain({ agent: agentId, peerAgent, direction: 'internal' }), {
    recording: { value: 'on' }, effective: { isRecorded: false, mayPause: false }, peer: { recording: { value: 'off', decidedBy: 'agent' }, agentInitiatedPause: { value: 'deny' } },
  })
  t.match(await explain({ agent: agentId, direction: 'internal' }), { effective: { isRecorded: true, mayPause: true }, peer: null }, 'as between equals')
  t.match(await explain({ agent: agentId, peerAgent, direction: 'inbound' }), { effective: { isRecorded: true }, peer: null })
})

t.test('explain finds a number however it is spelled, as a call would', async t => {
  const company = await createCompany(settings, { ...companyFields, country: 'CZ' })
  const { agentId } = await createAgent(company)
  const { body: { numberId } } = await company.client(`${company.path}/numbers`, { body: { number: '603 123 456', agentInitiatedPause: 'deny' } })
  for (const number of ['603 123 456', '+420 603-123-456', '00420603123456', '420603123456', '(603) 123.456', numberId]) {
    const { status, body } = await company.client(`/v1/policy/explain?${new URLSearchParams({ agent: agentId, direction: 'inbound', number })}`)
    t.match([status, body.agentInitiatedPause], [200, { value: 'deny', decidedBy: 'number' }], number)
  }
})

t.test('explain says 404 for what the company does not have', async t => {
  const [one, other] = [await createCompany(settings), await createCompany(settings)]
  const { agentId } = await createAgent(one)
  const { agentId: foreign } = await createAgent(other)
  for (const query of [{ agent: foreign }, { agent: randomUUID() }, { agent: agentId, number: '999' }, { agent: agentId, number: randomUUID() }, { agent: agentId, peerAgent: foreign, direction: 'internal' }]) {
    const answer = await one.client(`/v1/policy/explain?${new URLSearchParams({ direction: 'inbound', ...query })}`)
    t.same(refusal(answer), [404, 'not-found', undefined], JSON.stringify(query))
  }
  t.equal((await operator(`/v1/policy/explain?agent=${randomUUID()}&direction=inbound`)).status, 404)
})

t.test('bad input is 400 and names the field', async t => {
  const { path, client } = await createCompany(settings)
  const id = randomUUID()
  const rows: [string, string, unknown, string[]][] = [
    ['PUT', `${path}/agents/${id}`, { name: '' }, ['name']],
    ['POST', `${path}/agents`, { name: '' }, ['name']],
    ['PUT', `${path}/agents/${id}`, { name: 'A', endpoints: ['1001'] }, ['endpoints.0']],
    ['PUT', `${path}/agents/${id}`, { name: 'A', recording: { inbound: 'sometimes', outbound: 'inherit', internal: 'on' } }, ['recording.inbound']],
    ['PUT', `${path}/agents/${id}`, { name: 'A', pasue: 'allow' }, ['pasue']],
    ['PUT', `${path}/agents/${id}`, { name: 'nul \u0000' }, ['name']],
    ['PUT', `${path}/agents/${id}`, '{"name":"\\ud800"}', ['name']],
    ['PUT', `${path}/agents/${id}`, [], ['body']],
    ['PUT', `${path}/agents/me`, { name: 'A' }, ['agentId']],
    ['PUT', `${path}/numbers/${id}`, { number: 'sales' }, ['number']],
    ['POST', `${path}/numbers`, { number: '+4201' }, ['number']],
    ['POST', `${path}/numbers`, { number: '02071838750' }, ['number']],
    ['PATCH', path, { recording: { inbound: null } }, ['recording.inbound']],
    ['PATCH', path, { companyId: id, locks: { recording: 'yes' } }, ['locks.recording', 'companyId']],
    ['PATCH', path, [], ['body']],
    ['PUT', path, { ...companyFields, country: 'XX' }, ['country']],
    ['PUT', path, { ...companyFields, longestPauseMs: 1, gaps: 'beep', retentionDays: 0 }, ['gaps', 'retentionDays', 'longestPauseMs']],
    ['GET', `${path}/agents?limit=0`, undefined, ['limit']],
    ['GET', `${path}/agents?cursor=nonsense`, undefined, ['cursor']],
    ['GET', `${path}/agents?cursor=${Buffer.from('["a","b"]').toString('base64url')}`, undefined, ['cursor']],
    ['GET', `${path}/agents?q=%00`, undefined, ['q']],
    ['PUT', path, { name: 'A' }, ['recording', 'agentInitiatedPause']],
    ['PUT', path, { ...companyFields, timeZone: 'Prague' }, ['timeZone']],
    ['POST', `${path}/credentials`, { kind: 'api-token', roles: [] }, ['roles']],
    ['POST', `${path}/credentials`, { kind: 'api-token', roles: ['king'] }, ['roles.0']],
    ['POST', `${path}/credentials`, { kind: 'device-token', roles: ['agent'] }, ['agentId']],
    ['POST', `${path}/credentials`, { kind: 'api-token', roles: ['agent'], agentId: id }, ['agentId']],
    ['GET', `${path}/policy/explain?agent=${id}&direction=up`, undefined, ['direction']],
    ['GET', `${path}/policy/explain?direction=inbound`, undefined, ['agent']],
  ]
  for (const [method, target, body, fields] of rows) {
    t.same(refusal(await client(target, { method, body })), [400, 'invalid-request', fields], `${method} ${JSON.stringify(body)}`)
  }
  t.same((await client(`${path}/agents/${id}`, { method: 'PUT', body: '{"name":' })).problem().code, 'malformed-json')
  t.same((await client('/v1/nowhere')).problem().code, 'not-found')
})
