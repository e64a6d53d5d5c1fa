import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose'
import t from 'tap'
import { audienceOfCompany, operatorSubject, publicKeySchema, type Credential, type KeySet } from '@tacet/contracts'
import { createAuthenticator, type ChangeIn } from '@tacet/service-kit'
import type { FastifyRequest } from 'fastify'
import { credential } from '../helpers/events.ts'

const now = Date.parse('2026-11-23T09:00:00.000Z')
const companyId = 'c0000000-0000-4000-8000-000000000001'
const agentId = 'a0000000-0000-4000-8000-000000000001'
const [ours, theirs, forged] = [await generateKeyPair('ES256', { extractable: true }), await generateKeyPair('RS256', { extractable: true }), await generateKeyPair('ES256')]

async function keySet (publicKey: CryptoKey, fields: Partial<KeySet>): Promise<KeySet> {
  return {
    keySetId: 'e0000000-0000-4000-8000-000000000001',
    companyId: null,
    issuer: 'urn:tacet:settings',
    audience: 'urn:tacet',
    keys: [publicKeySchema.parse(await exportJWK(publicKey))],
    claims: { agentId: 'tacet_agent_id', roles: 'groups' },
    roles: { 'call-center-leads': 'supervisor' },
    version: 1,
    ...fields,
  }
}
const ourKeys = await keySet(ours.publicKey, {})
const theirKeys = await keySet(theirs.publicKey, { keySetId: 'e0000000-0000-4000-8000-000000000002', companyId, issuer: 'https://id.example.org', audience: audienceOfCompany(companyId) })
const key = credential(1, { roles: ['supervisor'] })

function authenticatorOf (credentials: Credential[], keySets: KeySet[], clock = () => now) {
  let change: (change: ChangeIn<'tacet.credentials.v1'>) => void = () => {}
  const authenticator = createAuthenticator({ list: type => (type === 'jwks.changed' ? keySets : credentials) as never[], onChange: listener => { change = listener; return () => {} } }, clock)
  return { identify: (token: string) => authenticator.identifyRequest({ headers: { authorization: `Bearer ${token}` } } as FastifyRequest), change: (value: ChangeIn<'tacet.credentials.v1'>) => change(value) }
}

const sign = (signer: CryptoKey, alg: string, iss: string, aud: string | string[], claims: object, exp = now / 1_000 + 60, iat = now / 1_000 - 60) =>
  new SignJWT({ iat, ...claims }).setProtectedHeader({ alg }).setIssuer(iss).setAudience(aud).setExpirationTime(exp).sign(signer)
const our = (sub: string, exp?: number) => sign(ours.privateKey, 'ES256', 'urn:tacet:settings', 'urn:tacet', { sub }, exp)
const their = (claims: object, exp?: number, aud: string | string[] = theirKeys.audience) => sign(theirs.privateKey, 'RS256', 'https://id.example.org', aud, { sub: 'anna', ...claims }, exp)

t.test('a JWT of ours stands for its credential, and ends with it', async t => {
  const { identify, change } = authenticatorOf([key], [ourKeys])
  t.match(await identify(await our(key.credentialId)), { credentialId: key.credentialId, companyId: key.companyId, roles: ['supervisor'] })
  t.equal(await identify(await our(agentId)), undefined, 'an unknown one')
  t.equal(await identify(await our(key.credentialId, now / 1_000 - 6)), undefined, 'expired')
  t.match(await identify(await our(operatorSubject)), { companyId: null, roles: ['owner'] })
  change({ type: 'credential.changed', id: key.credentialId, value: { ...key, version: 2, revokedAt: '2026-11-23T08:59:00.000Z' }, previous: key })
  t.equal(await identify(await our(key.credentialId)), undefined, 'revoked')
})

t.test('a former key of ours is believed until its time has passed, and no longer', async t => {
  const former = await generateKeyPair('ES256', { extractable: true })
  const at = { ms: now }
  const [ourKey] = ourKeys.keys
  const keys = [{ ...ourKey!, kid: 'current' }, { ...publicKeySchema.parse(await exportJWK(former.publicKey)), kid: 'former', usableUntil: new Date(now + 60_000).toISOString() }]
  const { identify } = authenticatorOf([key], [{ ...ourKeys, keys }], () => at.ms)
  const signed = (signer: CryptoKey, kid?: string) => new SignJWT({ sub: key.credentialId }).setProtectedHeader({ alg: 'ES256', ...(kid === undefined ? {} : { kid }) })
    .setIssuer('urn:tacet:settings').setAudience('urn:tacet').setIssuedAt(now / 1_000).setExpirationTime(now / 1_000 + 600).sign(signer)
  const [byCurrent, byFormer, nameless] = [await signed(ours.privateKey, 'current'), await signed(former.privateKey, 'former'), await signed(former.privateKey)]
  t.ok(await identify(byFormer))
  at.ms += 60_000
  t.equal(await identify(byFormer), undefined)
  t.equal(await identify(nameless), undefined)
  t.ok(await identify(byCurrent))
})

t.test('a company\'s identity provider speaks for that company only', async t => {
  const { identify } = authenticatorOf([], [ourKeys, theirKeys])
  const anna = await identify(await their({ tacet_agent_id: agentId, groups: ['call-center-leads', 'agent', 'whatever'], company_id: 'another' }))
  t.match(anna, { companyId, agentId, roles: ['supervisor', 'agent'] })
  t.equal((await identify(await their({ groups: 'admin' })))?.credentialId, anna?.credentialId, 'the same person has the same id')
  t.same((await identify(await their({ groups: ['agent', 'admin'] })))?.roles, ['admin'], 'an agent is named')
  for (const groups of ['admin team', 'agent admin', ['admin team']]) t.equal(await identify(await their({ groups })), undefined, `${groups} is a name of its own`)
  t.equal(await identify(await their({ groups: ['somebody', 'agent'] })), undefined, 'without a role they are nobody')
  t.equal(await identify(await sign(theirs.privateKey, 'RS256', 'urn:tacet:settings', 'urn:tacet', { sub: operatorSubject })), undefined, 'never for us')
})

t.test('a token says when it was made, and is believed for a day at most, ours for a quarter of an hour', async t => {
  const { identify } = authenticatorOf([key], [ourKeys, theirKeys])
  const [admin, ourClaims, far] = [{ groups: 'admin' }, { sub: key.credentialId }, now / 1_000 + 1_000_000]
  const theirsMade = async (iat: number | undefined) => await identify(await their({ ...admin, iat }, far))
  const oursMade = async (iat: number | undefined) => await identify(await sign(ours.privateKey, 'ES256', 'urn:tacet:settings', 'urn:tacet', { ...ourClaims, iat }, far))
  t.ok(await theirsMade(now / 1_000 - 86_000))
  t.ok(await oursMade(now / 1_000 - 890))
  for (const iat of [undefined, now / 1_000 - 86_410, now / 1_000 + 60]) t.equal(await theirsMade(iat), undefined, String(iat))
  for (const iat of [undefined, now / 1_000 - 910]) t.equal(await oursMade(iat), undefined, String(iat))
})

t.test('two companies may trust one issuer: a token is for the one that it is made out to, whatever else a key set claims', async t => {
  const otherId = 'c0000000-0000-4000-8000-000000000002'
  const copied = { ...theirKeys, keySetId: 'e0000000-0000-4000-8000-000000000003', companyId: otherId }
  const evil = await keySet(forged.publicKey, { ...copied, keySetId: 'e0000000-0000-4000-8000-000000000004', keys: [publicKeySchema.parse(await exportJWK((await generateKeyPair('RS256', { extractable: true })).publicKey))] })
  const admin = { groups: 'admin' }
  for (const keySets of [[copied, evil, theirKeys], [theirKeys, evil, copied]]) {
    const { identify } = authenticatorOf([], keySets)
    t.match(await identify(await their(admin)), { companyId }, 'a set that names the audience of another company is not asked')
    t.match(await identify(await their(admin, undefined, ['account', audienceOfCompany(otherId)])), { companyId: otherId })
    for (const audience of ['tacet', 'tacet:', [theirKeys.audience, audienceOfCompany(otherId)]]) t.equal(await identify(await their(admin, undefined, audience)), undefined, String(audience))
    t.equal(await identify(await sign(forged.privateKey, 'ES256', 'https://id.example.org', theirKeys.audience, { sub: 'anna', ...admin })), undefined, 'signed by nobody they trust')
  }
})

t.test('a program of a company has the scopes of its token', async t => {
  const { identify } = authenticatorOf([], [theirKeys])
  const scopes = async (claims: object) => (await identify(await their({ groups: 'service', ...claims })))?.scopes
  t.same(await scopes({ scope: 'openid calls:read recordings:control' }), ['calls:read', 'recordings:control'])
  t.same(await scopes({ scp: ['recordings:read', 'everything'], scope: 'recordings:read' }), ['recordings:read'])
  t.same(await scopes({ scope: { calls: true } }), [])
  t.same(await scopes({}), [])
})

t.test('a wrong signature, algorithm, audience or issuer, and keys that are gone, are refused', async t => {
  const { identify, change } = authenticatorOf([key], [ourKeys, theirKeys])
  t.equal(await identify(await sign(forged.privateKey, 'ES256', 'urn:tacet:settings', 'urn:tacet', { sub: operatorSubject })), undefined)
  t.equal(await identify(await sign(theirs.privateKey, 'RS256', 'https://id.example.org', 'another', { sub: 'anna' })), undefined)
  t.equal(await identify(await sign(theirs.privateKey, 'RS256', 'https://evil.example.org', theirKeys.audience, { sub: 'anna' })), undefined)
  const none = [{ alg: 'none' }, { iss: 'urn:tacet:settings', aud: 'urn:tacet', sub: operatorSubject, exp: now / 1_000 + 60 }].map(part => Buffer.from(JSON.stringify(part)).toString('base64url'))
  t.equal(await identify(`${none.join('.')}.`), undefined)
  for (const nonsense of ['a.b.c', '..', 'e30.e30.e30']) t.equal(await identify(nonsense), undefined, nonsense)
  const token = await their({ groups: 'admin' })
  t.ok(await identify(token))
  change({ type: 'jwks.changed', id: theirKeys.keySetId, value: undefined, previous: theirKeys })
  t.equal(await identify(token), undefined)
})
