import { randomUUID } from 'node:crypto'
import t from 'tap'
import { fuzz, type FuzzRequest } from '@tacet/test-kit'
import { createOpenApi } from '../../src/openapi.ts'
import { assign, createAgent, createCompany, operatorToken, startTestSettings, type TestCompany } from '../helpers/settings.ts'

/** `npm run soak` sends more, and others. */
const requests = Number(process.env['FUZZ_REQUESTS'] ?? 360)
const seed = Number(process.env['FUZZ_SEED'] ?? 20_261_123)
const timeoutMs = requests * 100 + 120_000
t.setTimeout(timeoutMs)

t.test(`whatever is asked, the answer is what the document says (seed ${seed}, ${requests} requests)`, async t => {
  const settings = await startTestSettings(t, { SETTINGS_JWKS_ORIGINS: 'http://127.0.0.1:1' })
  // Longer than what the helper gives a test.
  t.setTimeout(timeoutMs)
  const { operator, http, url } = settings

  async function send ({ method, path, headers, body }: FuzzRequest) {
    const response = await fetch(url + path, { method, headers, ...(body === undefined ? {} : { body }), signal: AbortSignal.timeout(20_000) })
    return { status: response.status, contentType: response.headers.get('content-type') ?? '', text: await response.text() }
  }

  let before: TestCompany[] = []
  async function prepare () {
    // What the service says of all companies would take longer with each round.
    for (const { path } of before) await operator(path, { method: 'DELETE' })
    const [company, other] = [await createCompany(settings), await createCompany(settings)]
    before = [company, other]
    const endpoint = `PJSIP/${randomUUID().slice(0, 8)}`
    await assign(settings, company, endpoint)
    const [alice, bob, foreign] = [await createAgent(company, { endpoints: [endpoint] }), await createAgent(company), await createAgent(other)]
    const { body: { numberId } } = await company.client(`${company.path}/numbers`, { body: { number: '+420603123456' } })
    const credential = async (body: object) => (await operator(`${company.path}/credentials`, { body: { kind: 'api-token', ...body } })).body
    const people = await Promise.all([{ roles: ['owner'] }, { roles: ['supervisor'] }, { roles: ['agent'], agentId: alice.agentId }, { roles: ['service'], scopes: ['settings:write', 'audit:read'] }].map(credential))
    const { body: jwt } = await http('/v1/tokens', { method: 'POST', token: company.token })
    const companies = [...Array(6).fill(company.companyId), other.companyId, randomUUID()]
    const agents = [alice.agentId, alice.agentId, bob.agentId, foreign.agentId, randomUUID()]
    return {
      tokens: [...Array(6).fill(operatorToken), ...Array(6).fill(company.token), jwt.token, ...people.map(({ token }) => token), 'tct_unknown', 'a.b.c', undefined],
      known: {
        companyId: companies,
        agentId: agents,
        agent: agents,
        peerAgent: agents,
        numberId: [numberId, numberId, randomUUID()],
        number: ['+420603123456', '603 123 456', '100', numberId],
        endpoint: [endpoint, 'PJSIP/1001'],
        endpoints: [endpoint, 'PJSIP/1001'],
        credentialId: [people[1].credentialId, randomUUID()],
        'if-match': ['"1"', '*', '*', '*', 'W/"1"', '"1", "2"'],
        'if-none-match': ['"1"', '*', '"7"', '"8"', '"9"'],
        jwksUrl: ['http://127.0.0.1:1/keys', 'http://169.254.169.254/'],
        country: ['CZ', 'GB', 'XX'],
        timeZone: ['Europe/Prague'],
      },
    }
  }

  const report = await fuzz({ document: await createOpenApi(), send, prepare }, { seed, requests })
  t.same(report.findings, [])
  t.comment(JSON.stringify(report.byStatus))
  const missed = report.operations.filter(operation => !report.succeeded.includes(operation))
  t.ok(report.succeeded.length >= report.operations.length / 2, `requests that nobody let in prove little; never 2xx: ${missed.join(', ')}`)
})
