import { generateKeyPairSync, randomUUID, sign } from 'node:crypto'
import t from 'tap'
import { audienceOfCompany, topics, type KeySet } from '@tacet/contracts'
import { createHttpClient, eventually } from '@tacet/test-kit'
import { startService, surroundings } from '../helpers/service.ts'

const companyId = '01990000-0000-7000-8000-000000000001'
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })

/** As the company's identity provider makes one. */
function tokenOf (claims: object): string {
  const nowS = Math.floor(Date.now() / 1_000)
  const parts = [{ alg: 'ES256' }, { iss: 'https://id.example.org', aud: audienceOfCompany(companyId), sub: 'anna', iat: nowS, exp: nowS + 300, ...claims }]
  const text = parts.map(part => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  return `${text}.${sign('SHA256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}

t.test('who may ask, how often, and by how old a copy', async t => {
  const around = await surroundings(t)
  const [one, other] = [await around.addCredential({ companyId, roles: ['supervisor'] }), await around.addCredential({ companyId, roles: ['supervisor'] })]
  const service = await startService(t, { ...around.config, rateLimitPerMinute: 40 })
  const statusOf = async (token: string) => (await service.call('/v1/recordings', { token })).status

  t.test('people of a company\'s identity provider, for as long as the company has it', async t => {
    const keySet: KeySet = {
      keySetId: randomUUID(), companyId, issuer: 'https://id.example.org', audience: audienceOfCompany(companyId), keys: [publicKey.export({ format: 'jwk' }) as KeySet['keys'][number]], claims: { agentId: 'tacet_agent_id', roles: 'tacet_roles' }, roles: {}, version: 1,
    }
    const lead = tokenOf({ tacet_roles: ['supervisor'] })
    t.equal(await statusOf(lead), 401, 'nobody knows who signed it')
    await around.publish(topics.credentials, 'jwks.changed', keySet.keySetId, keySet)
    await eventually(async () => await statusOf(lead) === 200, { message: 'not let in', intervalMs: 1_000 })
    t.equal(await statusOf(tokenOf({ tacet_roles: ['supervisor'], aud: audienceOfCompany(randomUUID()) })), 401)
    t.equal(await statusOf(tokenOf({ tacet_roles: ['guests'] })), 401)
    await around.publish(topics.credentials, 'jwks.changed', keySet.keySetId, null)
    await eventually(async () => await statusOf(lead) === 401, { message: 'still let in', timeoutMs: 5_000, intervalMs: 500 })
  })

  t.test('each key has a budget of its own', async t => {
    const statuses: number[] = []
    for (let count = 0; count < 41; count++) statuses.push(await statusOf(one))
    t.same([statuses.slice(0, 40).every(status => status === 200), statuses.at(-1)], [true, 429])
    const refused = await service.call('/v1/recordings', { token: one })
    t.equal(refused.problem().code, 'rate-limited')
    t.ok(Number(refused.headers.get('retry-after')) > 0)
    t.equal(await statusOf(other), 200)
  })

  t.test('readiness says how old the copy of the keys is', async t => {
    const { body: { checks: { credentials } } } = await createHttpClient(service.adminUrl)('/ready')
    t.match(credentials, { isOk: true, state: 'current', isConnected: true })
    t.ok(credentials.ageMs >= 0 && credentials.ageMs < 10_000, `${credentials.ageMs} ms`)
  })
})
