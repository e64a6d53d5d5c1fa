import t from 'tap'
import type { Credential } from '@tacet/contracts'
import { createAuthenticator, createHttpApp, hashToken, hasScope, principalOf, requirePrincipal, requireScope, type ChangeIn } from '@tacet/service-kit'
import { credential } from '../helpers/events.ts'
import { silent } from '../helpers/silent.ts'

const now = Date.parse('2026-11-23T09:00:00.000Z')
const token = 'a'.repeat(43)

function authenticatorOf (...credentials: Credential[]) {
  let change: (change: ChangeIn<'tacet.credentials.v1'>) => void = () => {}
  const source = { list: (type: string) => (type === 'credential.changed' ? credentials : []) as never[], onChange: (listener: typeof change) => { change = listener; return () => {} } }
  return { authenticator: createAuthenticator(source, () => now), change: (value: Credential | undefined, previous: Credential | undefined) => change({ type: 'credential.changed', id: '', value, previous }) }
}

const valid = credential(1, { hash: hashToken(token), roles: ['agent'] })

t.test('a token is known by its hash', async t => {
  const { authenticator } = authenticatorOf(valid)
  t.match(authenticator.authenticate(token), { credentialId: valid.credentialId, companyId: valid.companyId, agentId: null, roles: ['agent'], kind: 'api-token' })
  t.equal(authenticator.authenticate('b'.repeat(43)), undefined)
  t.equal(authenticator.authenticate(''), undefined)
})

t.test('expired, revoked and removed tokens are refused at once', async t => {
  t.equal(authenticatorOf({ ...valid, expiresAt: '2026-11-23T09:00:00.000Z' }).authenticator.authenticate(token), undefined)
  t.ok(authenticatorOf({ ...valid, expiresAt: '2026-11-23T09:00:00.001Z' }).authenticator.authenticate(token))
  const { authenticator, change } = authenticatorOf(valid)
  const revoked = { ...valid, version: 2, revokedAt: '2026-11-23T08:00:00.000Z' }
  change(revoked, valid)
  t.equal(authenticator.authenticate(token), undefined)
  change({ ...valid, version: 3 }, revoked)
  t.ok(authenticator.authenticate(token))
  change(undefined, valid)
  t.equal(authenticator.authenticate(token), undefined)
})

t.test('a device token opens only what asks for device tokens', async t => {
  const { authenticator } = authenticatorOf({ ...valid, kind: 'device-token' })
  t.equal(authenticator.authenticate(token), undefined)
  t.ok(authenticator.authenticate(token, ['device-token']))
})

t.test('a device token is an agent\'s, whatever roles were once stored with it', async t => {
  const principal = (roles: Credential['roles']) => authenticatorOf({ ...valid, kind: 'device-token', roles }).authenticator.authenticate(token, ['device-token'])
  t.same(principal(['owner', 'agent'])?.roles, ['agent'])
  t.equal(principal(['admin']), undefined)
})

t.test('a route behind requirePrincipal answers 401, 403 or knows who asks', async t => {
  const { authenticator } = authenticatorOf(valid)
  const app = await createHttpApp({ name: 'test', version: '1', logger: silent })
  t.teardown(() => app.close())
  app.get('/mine', { onRequest: requirePrincipal(authenticator) }, async request => ({ credentialId: principalOf(request).credentialId }))
  app.get('/admin', { onRequest: requirePrincipal(authenticator, { roles: ['admin', 'owner'] }) }, async () => ({}))
  const get = async (url: string, authorization?: string) => await app.inject({ url, headers: authorization === undefined ? {} : { authorization } })

  const anonymous = await get('/mine')
  t.equal(anonymous.statusCode, 401)
  t.equal(anonymous.headers['www-authenticate'], 'Bearer realm="tacet"')
  t.match(anonymous.json(), { code: 'unauthenticated', status: 401 })
  for (const wrong of ['Bearer nonsense', 'Basic abc', 'Bearer', `Bearer ${token} ${token}`]) {
    const answer = await get('/mine', wrong)
    t.equal(answer.statusCode, 401, wrong)
    t.match(answer.headers['www-authenticate'], /error="invalid_token"/)
  }
  t.match((await get('/mine', `Bearer ${token}`)).json(), { credentialId: valid.credentialId })
  t.match((await get('/admin', `Bearer ${token}`)).json(), { code: 'forbidden', status: 403 })
})

t.test('a service may do what its scopes name; people are judged by their roles', async t => {
  const service = { roles: ['service' as const] }
  t.notOk(hasScope(service, 'recordings:read'), 'a credential from before there were scopes')
  t.notOk(hasScope({ ...service, scopes: ['calls:read'] }, 'recordings:read'))
  t.ok(hasScope({ ...service, scopes: ['calls:read', 'recordings:read'] }, 'recordings:read'))
  t.ok(hasScope({ roles: ['supervisor', 'service'] }, 'recordings:read'))
  t.notOk(hasScope({ roles: [], scopes: ['recordings:read'] }, 'recordings:read'), 'nobody')
  t.throws(() => requireScope(service, 'recordings:read'), { code: 'forbidden', message: 'this needs the scope recordings:read' })
  t.doesNotThrow(() => requireScope({ ...service, scopes: ['recordings:read'] }, 'recordings:read'))
})
