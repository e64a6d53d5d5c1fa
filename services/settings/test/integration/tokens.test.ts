import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT, type JWK } from 'jose'
import t from 'tap'
import { keySetSchema, topics } from '@tacet/contracts'
import { eventually, type HttpAnswer } from '@tacet/test-kit'
import { createAgent, createCompany, startTestSettings } from '../helpers/settings.ts'

const provider = { keys: [] as JWK[], isRedirecting: false }
const server = createServer((_request, response) => {
  if (provider.isRedirecting) response.writeHead(302, { location: '/elsewhere' }).end()
  else response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: provider.keys }))
}).listen(0, '127.0.0.1')
await once(server, 'listening')
t.teardown(() => server.close())
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
provider.keys = [{ ...await exportJWK(publicKey), kid: 'first', use: 'sig' }]

const settings = await startTestSettings(t, { SETTINGS_JWKS_ORIGINS: origin })
const { http, operator, events, named } = settings
const refusal = (answer: HttpAnswer) => [answer.status, answer.problem().code]

t.test('a key is exchanged for a JWT that means the same, ends with the key, and is no key itself', async t => {
  const { path, client } = await createCompany(settings)
  const { body: key } = await client(`${path}/credentials`, { body: { kind: 'api-token', roles: ['supervisor'] } })
  const answer = await http('/v1/tokens', { method: 'POST', token: key.token })
  t.equal(answer.status, 201)
  const { token, expiresAt } = answer.body
  t.ok(Date.parse(expiresAt) - Date.now() < 16 * 60_000)
  // The key that signs is known once the service has told the database.
  await eventually(async () => (await http(path, { token })).status === 200, { message: 'not accepted' })
  t.same(refusal(await http(path, { token, method: 'PATCH', body: { name: 'x' } })), [403, 'forbidden'])
  t.same(refusal(await http('/v1/tokens', { method: 'POST', token })), [403, 'forbidden'], 'no endless renewal')
  t.same(refusal(await http(path, { token: `${token.slice(0, -4)}AAAA` })), [401, 'unauthenticated'])
  await client(`${path}/credentials/${key.credentialId}`, { method: 'DELETE' })
  t.same(refusal(await http(path, { token })), [401, 'unauthenticated'])

  const { body: ofOperator } = await operator('/v1/tokens', { method: 'POST' })
  t.equal((await http('/v1/companies', { token: ofOperator.token })).status, 200)
})

t.test('our public keys are published for everybody, and for the other services', async t => {
  const { status, body } = await http('/v1/jwks.json')
  t.equal(status, 200)
  t.match(body.keys, [{ kty: 'EC', crv: 'P-256', kid: /./ }])
  t.notMatch(JSON.stringify(body), /"d"/)
  const event = await events.waitFor(({ type, data }) => type === 'jwks.changed' && data.companyId === null)
  t.equal(event.topic, named(topics.credentials))
  t.same(keySetSchema.parse(event.data).keys, body.keys)
})

t.test('a company\'s own identity provider is accepted for that company, as its claims say', async t => {
  const [company, other] = [await createCompany(settings), await createCompany(settings)]
  const path = `${company.path}/identity-provider`
  const { agentId } = await createAgent(company)
  const fields = { issuer: 'https://id.example.org', jwksUrl: `${origin}/keys`, roles: { leads: 'supervisor' } }
  t.same(refusal(await company.client(path, { method: 'PUT', body: fields })), [403, 'forbidden'], 'an admin does not choose it')
  const { body: owner } = await operator(`${company.path}/credentials`, { body: { kind: 'api-token', roles: ['owner'] } })
  const put = (change: object) => http(path, { token: owner.token, method: 'PUT', body: { ...fields, ...change } })
  t.match((await put({ audience: 'tacet' })).problem(), { code: 'invalid-request' }, 'the audience is ours to give')
  const created = await put({})
  t.match(created, { status: 201, body: { audience: `tacet:${company.companyId}` } })
  t.equal((await http(path, { token: owner.token })).headers.get('etag'), '"1"')
  t.same(refusal(await http(path, { token: owner.token, method: 'PUT', body: fields, headers: { 'if-match': '"7"' } })), [412, 'precondition-failed'])
  t.same(refusal(await http(path, { token: owner.token, method: 'DELETE', headers: { 'if-match': '"7"' } })), [412, 'precondition-failed'])
  const event = await events.waitFor(({ type, data }) => type === 'jwks.changed' && data?.companyId === company.companyId)
  t.match(event.data, { issuer: fields.issuer, keys: [{ kid: 'first' }], version: 1 })

  const tokenOf = (claims: object, key = privateKey, audience: string | string[] = created.body.audience) =>
    new SignJWT({ ...claims }).setProtectedHeader({ alg: 'ES256', kid: 'first' }).setIssuer(fields.issuer).setAudience(audience).setSubject('anna').setIssuedAt().setExpirationTime('5m').sign(key)
  const lead = await tokenOf({ tacet_agent_id: agentId, tacet_roles: ['leads'] })
  t.equal((await http(company.path, { token: lead })).status, 200)
  t.same(refusal(await http(other.path, { token: lead })), [404, 'not-found'], 'nothing of another company')
  t.same(refusal(await http(company.path, { token: await tokenOf({ tacet_roles: ['guests'] }) })), [401, 'unauthenticated'])
  t.same(refusal(await http(company.path, { token: await tokenOf({ tacet_roles: ['leads'] }, (await generateKeyPair('ES256')).privateKey) })), [401, 'unauthenticated'])
  t.same(refusal(await http('/v1/tokens', { method: 'POST', token: lead })), [403, 'forbidden'])

  const { body: otherOwner } = await operator(`${other.path}/credentials`, { body: { kind: 'api-token', roles: ['owner'] } })
  const theirs = await http(`${other.path}/identity-provider`, { token: otherOwner.token, method: 'PUT', body: fields })
  t.match(theirs, { status: 201, body: { audience: `tacet:${other.companyId}` } }, 'nothing tells that somebody else has the same provider')
  t.equal((await http(company.path, { token: lead })).status, 200, 'and nothing changes for them')
  t.same(refusal(await http(other.path, { token: lead })), [404, 'not-found'])
  const both = await tokenOf({ tacet_roles: ['admin'] }, privateKey, [created.body.audience, theirs.body.audience])
  t.same(refusal(await http(company.path, { token: both })), [401, 'unauthenticated'], 'one token, one company')
  const toOther = await tokenOf({ tacet_roles: ['admin'] }, privateKey, theirs.body.audience)
  t.same([await http(company.path, { token: toOther }), await http(other.path, { token: toOther })].map(({ status }) => status), [404, 200])

  const machine = (scopes: object) => tokenOf({ tacet_roles: 'service', ...scopes })
  t.equal((await http(company.path, { token: await machine({ scope: 'openid settings:read' }) })).status, 200)
  t.same(refusal(await http(company.path, { token: await machine({ scp: ['calls:read'] }) })), [403, 'forbidden'])
  t.match((await http(path, { token: owner.token })).body, { issuer: fields.issuer, lastError: null })
  t.equal((await http(path, { token: owner.token, method: 'DELETE' })).status, 204)
  t.same(refusal(await http(company.path, { token: lead })), [401, 'unauthenticated'])
})

t.test('keys are fetched only from where the operator allows, and never by a detour', async t => {
  const { path } = await createCompany(settings)
  const put = async (change: object) => (await operator(`${path}/identity-provider`, {
    method: 'PUT', body: { issuer: 'https://other.example.org', jwksUrl: `${origin}/keys`, ...change },
  })).problem().errors
  t.match(await put({ jwksUrl: 'http://169.254.169.254/latest' }), [{ field: 'jwksUrl', message: 'the operator has not allowed this address' }])
  t.match(await put({ jwksUrl: 'file:///etc/passwd' }), [{ field: 'jwksUrl' }])
  t.match(await put({ issuer: 'urn:tacet:settings' }), [{ field: 'issuer' }])
  provider.isRedirecting = true
  t.match(await put({}), [{ field: 'jwksUrl', message: 'it does not answer' }])
  provider.isRedirecting = false
  provider.keys = [{ kty: 'oct', k: 'c2VjcmV0' }]
  t.match(await put({}), [{ field: 'jwksUrl', message: 'it has no P-256 or RSA signing key' }])
})
