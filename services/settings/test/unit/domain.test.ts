import t from 'tap'
import { auditEntrySchema, payloadSchema, roles, topics, type Agent, type Credential, type Role } from '@tacet/contracts'
import { accessToCompany, canGrant, type Caller, type Permission } from '../../src/domain/caller.ts'
import { announce, audit, type Entity } from '../../src/domain/changes.ts'
import { findEndpointConflict, type Endpoint } from '../../src/domain/endpoints.ts'
import { localTime } from '../../src/domain/local-time.ts'
import { mergePatch } from '../../src/domain/merge-patch.ts'
import { isPreconditionMet } from '../../src/domain/precondition.ts'

const [companyId, otherId, agentId, credentialId, auditId] = ['a', 'b', 'c', 'd', 'e'].map(digit => `${digit.repeat(8)}-0000-4000-8000-000000000000`) as [string, string, string, string, string]
const caller = (roles: Role[], fields: Partial<Caller> = {}): Caller => ({ companyId, credentialId, agentId: null, roles, scopes: [], isByJwt: false, address: '192.0.2.1', ...fields })
const operator = caller(['owner'], { companyId: null, credentialId: null })
const cause = { caller: caller(['admin']), at: '2026-11-23T09:00:00.000Z', auditId }

const agent: Agent = {
  agentId, companyId, version: 1, name: 'Alice', endpoints: [], roles: ['agent'], recording: { inbound: 'inherit', outbound: 'inherit', internal: 'inherit' }, agentInitiatedPause: 'inherit',
}
const credential: Credential = {
  credentialId, companyId, agentId, kind: 'api-token', label: '', roles: ['agent'], hash: '0'.repeat(64), expiresAt: null, revokedAt: null, version: 1,
}

t.test('who may do what with a company', async t => {
  const permissions: Permission[] = ['read', 'write', 'administer', 'audit']
  const granted = (who: Caller) => permissions.filter(permission => accessToCompany(who, companyId, permission) === 'granted')
  t.same(granted(operator), permissions)
  t.same(granted(caller(['owner'])), permissions)
  t.same(granted(caller(['admin'])), permissions)
  t.same(granted(caller(['supervisor'])), ['read'])
  t.same(granted(caller(['agent'])), [])
  t.same(granted(caller(['service'])), [], 'a service without scopes')
  t.same(granted(caller(['service'], { scopes: ['settings:read', 'recordings:read'] })), ['read'])
  t.same(granted(caller(['service'], { scopes: ['settings:write'] })), ['read', 'write'])
  t.same(granted(caller(['service'], { scopes: ['audit:read'] })), ['audit'])
  t.same(granted(caller(['agent'], { scopes: ['settings:write'] })), [], 'scopes are for services')
  for (const role of roles) t.equal(accessToCompany(caller([role]), otherId, 'read'), 'hidden', `${role} of another company`)
})

t.test('only owners make owners', async t => {
  t.equal(canGrant(caller(['admin']), ['admin', 'agent']), true)
  t.equal(canGrant(caller(['admin']), ['admin', 'owner']), false)
  t.equal(canGrant(caller(['owner']), ['owner']), true)
  t.equal(canGrant(operator, ['owner']), true)
  const machine = caller(['service'], { scopes: ['settings:write'] })
  t.equal(canGrant(machine, ['agent']), true)
  t.equal(canGrant(machine, ['agent', 'supervisor']), false, 'who writes settings gives nobody access')
})

t.test('a change is the new state and an audit entry, both as the contracts want them', async t => {
  const entities: Entity[] = [{ kind: 'agent', value: agent }, { kind: 'credential', value: credential }]
  for (const entity of entities) {
    for (const { topic, type, data } of announce(cause, 'create', null, entity)) t.ok(payloadSchema(topic, type)?.safeParse(data).success, `${topic} ${type}`)
  }
  t.match(announce(cause, 'create', null, entities[0]!), [
    { topic: topics.settings, type: 'agent.changed', subject: agentId, data: agent },
    { topic: topics.audit, subject: companyId, data: { action: 'agent.create', actor: { kind: 'admin', credentialId, address: '192.0.2.1' }, detail: { entityId: agentId, before: null, after: agent } } },
  ])
})

t.test('what is gone is a tombstone that still says what it was', async t => {
  const [state, entry] = announce(cause, 'delete', { kind: 'agent', value: agent }, null)
  t.same(state, { topic: topics.settings, type: 'agent.changed', subject: agentId, data: null })
  t.match(entry?.data, { action: 'agent.delete', detail: { before: agent, after: null } })
  t.throws(() => announce(cause, 'delete', null, null))
})

t.test('the hash of a token is for those who check tokens, not for the audit log', async t => {
  const [state, entry] = announce(cause, 'revoke', { kind: 'credential', value: credential }, { kind: 'credential', value: { ...credential, version: 2 } })
  t.match(state, { topic: topics.credentials, subject: credentialId, data: { hash: credential.hash } })
  t.notMatch(JSON.stringify(entry), credential.hash)
})

t.test('entries of no company are kept under the operator\'s key', async t => {
  const { subject, data } = audit({ ...cause, caller: operator }, null, 'settings.republish', {})
  t.equal(subject, 'operator')
  t.match(auditEntrySchema.parse(data), { companyId: null, actor: { kind: 'operator', credentialId: null } })
})

t.test('an endpoint is the company\'s and free, one\'s own, a colleague\'s, or not the company\'s', async t => {
  const conflict = (known: Endpoint[], mayAssign = false) => findEndpointConflict({ agentId, companyId }, ['PJSIP/1001'], known, mayAssign)
  const entry = (companyId: string, agentId: string | null) => [{ endpoint: 'PJSIP/1001', agentId, companyId }]
  t.equal(conflict(entry(companyId, null)), null)
  t.equal(conflict(entry(companyId, agentId)), null)
  t.same(conflict(entry(companyId, otherId)), { code: 'already-exists', endpoint: 'PJSIP/1001' })
  t.same(conflict(entry(otherId, null)), { code: 'not-yours', endpoint: 'PJSIP/1001' })
  t.same(conflict(entry(otherId, otherId), true), { code: 'not-yours', endpoint: 'PJSIP/1001' })
  t.same(conflict([]), { code: 'not-yours', endpoint: 'PJSIP/1001' }, 'nobody\'s looks like another company\'s')
  t.equal(conflict([], true), null, 'the operator assigns it')
})

t.test('a time is shown as the company\'s clocks show it, summer and winter', async t => {
  t.equal(localTime('2026-11-23T09:00:00.123Z', 'Europe/Prague'), '2026-11-23 10:00:00 +01:00')
  t.equal(localTime('2026-07-01T22:30:00.000Z', 'Europe/Prague'), '2026-07-02 00:30:00 +02:00')
  t.equal(localTime('2026-11-23T09:00:00.000Z', 'UTC'), '2026-11-23 09:00:00 +00:00')
})

t.test('a merge patch is what RFC 7396 says it is', async t => {
  const examples: [unknown, unknown, unknown][] = [
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }], [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }], [{ a: 'b' }, { a: null }, {}], [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }], [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }], [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }], [['a', 'b'], ['c', 'd'], ['c', 'd']], [{ a: 'b' }, ['c'], ['c']], [{ a: 'foo' }, null, null], [{ a: 'foo' }, 'bar', 'bar'],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }], [[1, 2], { a: 'b', c: null }, { a: 'b' }], [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ]
  for (const [target, patch, result] of examples) t.same(mergePatch(target, patch), result, JSON.stringify([target, patch]))
  t.same(Object.keys(mergePatch({}, JSON.parse('{"__proto__":{"polluted":1}}')) as object), ['__proto__'])
  t.notOk('polluted' in {})
})

t.test('a precondition looks at the version, or at whether there is one', async t => {
  const version3 = { version: 3 }
  for (const met of [{}, { ifMatch: 'any' }, { ifMatch: ['"1"', '"3"'] }] as const) t.ok(isPreconditionMet(met, version3), JSON.stringify(met))
  for (const unmet of [{ ifMatch: ['"2"'] }, { ifMatch: ['W/"3"'] }, { ifMatch: [] }, { ifNoneMatch: 'any' }] as const) t.notOk(isPreconditionMet(unmet, version3), JSON.stringify(unmet))
  t.ok(isPreconditionMet({ ifNoneMatch: 'any' }, null))
  t.notOk(isPreconditionMet({ ifMatch: 'any' }, null))
})
