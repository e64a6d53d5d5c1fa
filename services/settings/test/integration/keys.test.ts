import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT, type JWK } from 'jose'
import t from 'tap'
import { audienceOfCompany } from '@tacet/contracts'
import { createCloser, loadConfig } from '@tacet/service-kit'
import { settingsConfig, startSettings } from '@tacet/settings'
import { createHttpClient, eventually } from '@tacet/test-kit'
import { createCompany, logger, operatorToken, startTestSettings } from '../helpers/settings.ts'

t.test('with SETTINGS_JWT_PRIVATE_KEY tokens outlive the process, and a key before it stays known', async t => {
  const makeKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const settings = await startTestSettings(t, { SETTINGS_JWT_PRIVATE_KEY: makeKey() })
  const { path, token: key } = await createCompany(settings)
  const { body: { token: ofFirst } } = await settings.http('/v1/tokens', { method: 'POST', token: key })
  await eventually(async () => (await settings.http(path, { token: ofFirst })).status === 200, { timeoutMs: 20_000, message: 'not accepted' })

  const start = async (env: Record<string, string>) => {
    const closer = createCloser({ logger })
    t.teardown(() => closer.close())
    const { url } = await startSettings({ config: loadConfig(settingsConfig, { ...settings.env, ...env }), logger, closer })
    return createHttpClient(url)
  }
  const again = await start({})
  const { body: { keys: before } } = await again('/v1/jwks.json')
  t.equal(before.length, 1, 'the same key is announced once')
  t.equal((await again(path, { token: ofFirst })).status, 200, 'the next process')
  // As a variable that can't hold a line break has it.
  const changed = await start({ SETTINGS_JWT_PRIVATE_KEY: makeKey().replaceAll('\n', '\\n') })
  await eventually(async () => (await changed('/v1/jwks.json')).body.keys.length === 2, { timeoutMs: 20_000, message: 'the new key is not announced' })
  t.equal((await changed(path, { token: ofFirst })).status, 200, 'a token of the key before')
  const { body: { token: ofSecond } } = await changed('/v1/tokens', { method: 'POST', token: key })
  t.equal((await again(path, { token: ofSecond })).status, 200, 'and the process before knows the new one')

  const [current, former] = (await changed('/v1/jwks.json')).body.keys
  t.equal(current.usableUntil, undefined)
  const leftMs = Date.parse(former.usableUntil) - Date.now()
  t.ok(leftMs > 14 * 60_000 && leftMs <= 15 * 60_000 + 5_000, `as long as a token may be about: ${leftMs}`)
  const retire = (kid: string, token: string = operatorToken) => changed(`/v1/signing-keys/${kid}`, { method: 'DELETE', token })
  t.match((await retire(former.kid, key)).problem(), { code: 'forbidden' })
  t.match((await retire(current.kid)).problem(), { code: 'in-use' })
  t.match((await retire('unknown')).problem(), { code: 'not-found' })
  t.equal((await retire(former.kid)).status, 204)
  for (const ask of [again, changed]) t.equal((await ask(path, { token: ofFirst })).status, 401, 'at once, everywhere')
  t.equal((await changed(path, { token: ofSecond })).status, 200)
  const event = await settings.events.waitFor(({ type, data }) => type === 'jwks.changed' && data.companyId === null && data.version === 3)
  t.same(event.data.keys.map(({ kid }: JWK) => kid), [current.kid], 'the other services hear it')
  const entry = await settings.events.waitFor(({ type, data }) => type === 'audit.recorded' && data.action === 'signing-key.retire')
  t.match(entry.data, { companyId: null, actor: { kind: 'operator' }, detail: { kid: former.kid } })
  await t.rejects(start({ SETTINGS_JWT_PRIVATE_KEY: 'no key' }), /SETTINGS_JWT_PRIVATE_KEY is no P-256 private key/)
})

t.test('the keys of an identity provider are fetched again: a new one is accepted, one that is gone refused; an outage changes nothing', async t => {
  const provider = { keys: [] as JWK[], isDown: false }
  const server = createServer((_request, response) => {
    response.writeHead(provider.isDown ? 503 : 200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: provider.keys }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const settings = await startTestSettings(t, { SETTINGS_JWKS_ORIGINS: origin, SETTINGS_JWKS_REFRESH_MS: '1000' })
  const { http, operator } = settings
  const { path, companyId } = await createCompany(settings)

  const makeKey = async (kid: string) => {
    const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
    const token = await new SignJWT({ tacet_roles: ['supervisor'] }).setProtectedHeader({ alg: 'RS256', kid }).setIssuer('https://id.example.org').setAudience(audienceOfCompany(companyId)).setSubject('anna').setIssuedAt().setExpirationTime('5m').sign(privateKey)
    return { jwk: { ...await exportJWK(publicKey), kid, use: 'sig' }, token }
  }
  const [first, second] = [await makeKey('first'), await makeKey('second')]
  const becomes = async (token: string, status: number) => await eventually(async () => (await http(path, { token })).status === status, { timeoutMs: 20_000, message: `not ${status}` })
  const provided = async () => (await operator(`${path}/identity-provider`)).body

  provider.keys = [first.jwk]
  t.equal((await operator(`${path}/identity-provider`, { method: 'PUT', body: { issuer: 'https://id.example.org', jwksUrl: `${origin}/keys` } })).status, 201)
  await becomes(first.token, 200)
  await becomes(second.token, 401)
  provider.keys = [first.jwk, second.jwk]
  await becomes(second.token, 200)
  provider.isDown = true
  await eventually(async () => (await provided()).lastError === 'it answers 503', { timeoutMs: 20_000, message: 'the outage is not told' })
  t.equal((await http(path, { token: first.token })).status, 200, 'the keys from before go on to count')
  provider.isDown = false
  provider.keys = [second.jwk]
  await becomes(first.token, 401)
  t.match(await provided(), { keys: [{ kid: 'second' }], lastError: null })
})

t.test('a token that names a key nobody knows has the provider asked again, once in a minute', async t => {
  const provider = { keys: [] as JWK[], asked: 0 }
  const server = createServer((_request, response) => {
    provider.asked++
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: provider.keys }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const settings = await startTestSettings(t, { SETTINGS_JWKS_ORIGINS: origin })
  const { path, companyId } = await createCompany(settings)
  const makeKey = async (kid: string) => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
    const token = await new SignJWT({ tacet_roles: ['supervisor'] }).setProtectedHeader({ alg: 'ES256', kid }).setIssuer('https://id.example.org').setAudience(audienceOfCompany(companyId)).setSubject('anna').setIssuedAt().setExpirationTime('5m').sign(privateKey)
    return { jwk: { ...await exportJWK(publicKey), kid }, token }
  }
  const [first, second, third] = [await makeKey('first'), await makeKey('second'), await makeKey('third')]
  const statusOf = async ({ token }: { token: string }) => (await settings.http(path, { token })).status
  provider.keys = [first.jwk]
  await settings.operator(`${path}/identity-provider`, { method: 'PUT', body: { issuer: 'https://id.example.org', jwksUrl: `${origin}/keys` } })
  provider.keys = [first.jwk, second.jwk]
  t.equal(await statusOf(second), 200, 'at once')
  t.equal(provider.asked, 2)
  provider.keys = [third.jwk]
  t.same([await statusOf(third), await statusOf(third), await statusOf(first)], [401, 401, 200])
  t.equal(provider.asked, 2, 'whoever writes tokens does not make us ask')
})
