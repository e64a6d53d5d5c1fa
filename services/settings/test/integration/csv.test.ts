import t from 'tap'
import { assign, companyFields, createAgent, createCompany, startTestSettings, type TestCompany } from '../helpers/settings.ts'

const settings = await startTestSettings(t)
const { http } = settings

const send = ({ client, path }: TestCompany, what: string, csv: string, query = '') =>
  client(`${path}/${what}/import${query}`, { method: 'POST', body: csv, headers: { 'content-type': 'text/csv' } })
const list = async ({ client, path }: TestCompany, what: string) => (await client(`${path}/${what}`)).body.items

t.test('numbers are imported from CSV, and what is exported imports as it is', async t => {
  const company = await createCompany(settings, { ...companyFields, country: 'CZ' })
  const csv = 'number,label,recordingInbound,agentInitiatedPause\n603 123 456,"Sales, Prague",off,deny\n100,=cmd(),,\n'
  const answer = await send(company, 'numbers', csv)
  t.same([answer.status, answer.body], [200, { isDryRun: false, rows: 2, created: 2, updated: 0, unchanged: 0, errors: [] }])
  t.match(await list(company, 'numbers'), [
    { number: '+420603123456', label: 'Sales, Prague', recording: { inbound: 'off', outbound: 'inherit' }, agentInitiatedPause: 'deny' },
    { number: '100', label: '=cmd()' },
  ].toSorted((one, other) => one.number < other.number ? -1 : 1))

  const exported = await company.client(`${company.path}/numbers/export`)
  t.match(exported.headers.get('content-type'), /^text\/csv/)
  t.match(exported.body, /'=cmd\(\)/, 'no formula for a spreadsheet')
  t.match(exported.body, /'\+420603123456/)
  t.match((await send(company, 'numbers', exported.body)).body, { created: 0, updated: 0, unchanged: 2 })
  t.match((await send(company, 'numbers', 'number;label\n+420603123456;Renamed\n')).body, { created: 0, updated: 1 }, 'known by the number, in any spelling')
})

t.test('what a file does not say stays as it is: a column that is absent, and a cell that is empty', async t => {
  const company = await createCompany(settings)
  await assign(settings, company, 'PJSIP/6101')
  const { agentId, path } = await createAgent(company, {
    name: 'Anna', email: 'anna@example.org', endpoints: ['PJSIP/6101'], recording: { inbound: 'off', outbound: 'on', internal: 'inherit' }, agentInitiatedPause: 'deny',
  })
  t.match((await send(company, 'agents', 'name,email\nAnna Nováková,anna@example.org\n')).body, { updated: 1 })
  t.match((await send(company, 'agents', `agentId;name;email;endpoints;recordingInbound;recordingOutbound\n${agentId};Anna N.;;;;off\n`)).body, { updated: 1 })
  t.match((await company.client(path)).body, {
    version: 3, name: 'Anna N.', email: 'anna@example.org', endpoints: ['PJSIP/6101'], recording: { inbound: 'off', outbound: 'off', internal: 'inherit' }, agentInitiatedPause: 'deny',
  })
  await send(company, 'numbers', 'number,label,agentInitiatedPause\n100,Desk,deny\n')
  t.match((await send(company, 'numbers', 'number\n100\n')).body, { unchanged: 1 })
  t.match(await list(company, 'numbers'), [{ label: 'Desk', agentInitiatedPause: 'deny' }])
})

t.test('whatever a label holds, what is exported imports as it is', async t => {
  const company = await createCompany(settings)
  const labels = ['Sales; EU', 'a,b;c', "'=quoted", '＝full width', 'x;=HYPERLINK("http://evil.example")', '"Front" desk', "''", ';', '-', '@;+1']
  for (const [index, label] of labels.entries()) t.equal((await company.client(`${company.path}/numbers`, { body: { number: String(100 + index), label } })).status, 201, label)
  const { body } = await company.client(`${company.path}/numbers/export`)
  t.match((await send(company, 'numbers', body)).body, { updated: 0, unchanged: labels.length, errors: [] })
  t.notMatch(body, /(^|[,;"])=/m)
  // As a spreadsheet writes it that separates by semicolons.
  t.match((await send(company, 'numbers', '\ufeffnumber;label\r\n100;"Sales; USA"\r\n101;a,b\r\n')).body, { updated: 2 })
  t.match((await list(company, 'numbers')).slice(0, 2), [{ label: 'Sales; USA' }, { label: 'a,b' }])
})

t.test('a dry run says what would happen, and nothing does', async t => {
  const company = await createCompany(settings)
  await assign(settings, company, 'PJSIP/6001', 'PJSIP/6002')
  await createAgent(company, { name: 'Anna', email: 'anna@example.org', endpoints: ['PJSIP/6001'] })
  const csv = 'name,email,endpoints\nAnna N.,anna@example.org,PJSIP/6001\nBen,,PJSIP/6002\n'
  t.match((await send(company, 'agents', csv, '?dryRun=true')).body, { isDryRun: true, rows: 2, created: 1, updated: 1, errors: [] })
  t.same((await list(company, 'agents')).map(({ name }: { name: string }) => name), ['Anna'])
  t.match((await send(company, 'agents', csv)).body, { isDryRun: false, created: 1, updated: 1 })
  t.match(await list(company, 'agents'), [{ name: 'Anna N.', version: 2 }, { name: 'Ben', endpoints: ['PJSIP/6002'] }])
})

t.test('errors name line, column and code; then nothing is imported', async t => {
  const company = await createCompany(settings)
  await assign(settings, company, 'PJSIP/7001')
  const csv = [
    'agentId,name,endpoints,recordingInbound',
    ',Good,PJSIP/7001,on',
    ',,,',
    ',Second,PJSIP/7001,',
    ',Stranger,PJSIP/7999,',
    ',Odd,,sometimes',
    'me,Odd id,,',
  ].join('\n')
  const expected = [
    { line: 3, code: 'invalid-request', field: 'name' },
    { line: 4, code: 'already-exists', field: 'endpoints' },
    { line: 5, code: 'not-yours', field: 'endpoints' },
    { line: 6, code: 'invalid-request', field: 'recordingInbound' },
    { line: 7, code: 'invalid-request', field: 'agentId' },
  ]
  t.match((await send(company, 'agents', csv, '?dryRun=true')).body, { created: 1, errors: expected })
  const refused = await send(company, 'agents', csv)
  t.match([refused.status, refused.problem().code, refused.problem().errors], [400, 'import-refused', expected])
  t.same(await list(company, 'agents'), [])
})

t.test('what is no such CSV is refused as a whole', async t => {
  const company = await createCompany(settings)
  const refusal = async (csv: string) => {
    const { status, problem } = await send(company, 'numbers', csv)
    return [status, problem().errors?.map(({ code }) => code)]
  }
  t.same(await refusal('label,colour\nA,red\n'), [400, ['unknown-column', 'missing-column']])
  t.same(await refusal('number,number\n1,2\n'), [400, ['duplicate-column']])
  t.same(await refusal('number,label\n100,"never closed\n'), [400, ['malformed-csv']])
  t.equal((await send(company, 'numbers', `number\n${'100\n'.repeat(5_001)}`)).problem().code, 'payload-too-large')
  t.equal((await send(company, 'numbers', `number,label\n${`100,${'x'.repeat(1_000)}\n`.repeat(2_200)}`)).problem().code, 'payload-too-large')
  t.equal((await company.client(`${company.path}/numbers/import`, { body: { number: '100' } })).status, 415)
  t.equal((await company.client(`${company.path}/numbers/import`, { method: 'POST' })).status, 415, 'nothing at all')
  const other = await createCompany(settings)
  t.equal((await other.client(`${company.path}/numbers/import`, { method: 'POST', body: 'number\n1\n', headers: { 'content-type': 'text/csv' } })).status, 404)
})

t.test('the API can be read and tried on a page of its own', async t => {
  const page = await http('/reference/')
  t.equal(page.status, 200)
  t.match(page.headers.get('content-type'), /text\/html/)
  t.match(page.headers.get('content-security-policy'), /default-src 'self'/)
  t.notMatch(page.headers.get('content-security-policy'), /unsafe-eval/)
  t.match((await http('/reference/json')).body, { openapi: '3.1.0' })
})
