import t from 'tap'
import { auditEntrySchema, payloadSchema, topics, type Agent, type Credential, type Role } from '@tacet/contracts'
import { accessToCompany, canGrant, type Caller } from '../../src/domain/caller.ts'
import { announce, audit, type Entity } from '../../src/domain/changes.ts'
import { findEndpointConflict } from '../../src/domain/endpoints.ts'

const [companyId, otherId, agentId, credentialId, auditId] = ['a', 'b', 'c', 'd', 'e'].map(digit => `${digit.repeat(8)}-0000-4000-8000-000000000000`) as [string, string, string, string, string]
const caller = (roles: Role[], fields: Partial<Caller> = {}): Caller => ({ companyId, credentialId, agentId: null, roles, address: '192.0.2.1', ...fields })
const operator = caller(['owner'], { companyId: null, credentialId: null })
const cause = { caller: caller(['admin']), at: '2026-11-23T09:00:00.000Z', auditId }

const agent: Agent = {
  agentId, companyId, version: 1, name: 'Alice', endpoints: [], recording: { inbound: 'inherit', outbound: 'inherit', internal: 'inherit' }, agentInitiatedPause: 'inherit',
}
const credential: Credential = {
  credentialId, companyId, agentId, kind: 'api-token', label: '', roles: ['agent'], hash: '0'.repeat(64), expiresAt: null, revokedAt: null, version: 1,
}

t.test('who may administer a company', async t => {
  t.equal(accessToCompany(operator, companyId), 'granted')
  for (const role of ['owner', 'admin'] as const) {
    t.equal(accessToCompany(caller([role]), companyId), 'granted', role)
    t.equal(accessToCompany(caller([role]), otherId), 'hidden', `${role} of another company`)
  }
  for (const role of ['supervisor', 'agent', 'service'] as const) {
    t.equal(accessToCompany(caller([role]), companyId), 'forbidden', role)
    t.equal(accessToCompany(caller([role]), otherId), 'hidden', `${role} of another company`)
  }
})

t.test('only owners make owners', async t => {
  t.equal(canGrant(caller(['admin']), ['admin', 'agent']), true)
  t.equal(canGrant(caller(['admin']), ['admin', 'owner']), false)
  t.equal(canGrant(caller(['owner']), ['owner']), true)
  t.equal(canGrant(operator, ['owner']), true)
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

t.test('an endpoint is free, one\'s own, a colleague\'s or a stranger\'s', async t => {
  const mine = { agentId, companyId }
  const owner = (agentId: string, companyId: string) => [{ endpoint: 'PJSIP/1001', agentId, companyId }]
  t.equal(findEndpointConflict(mine, []), null)
  t.equal(findEndpointConflict(mine, owner(agentId, companyId)), null)
  t.same(findEndpointConflict(mine, owner(otherId, companyId)), { code: 'already-exists', endpoint: 'PJSIP/1001' })
  t.same(findEndpointConflict(mine, owner(otherId, otherId)), { code: 'not-yours', endpoint: 'PJSIP/1001' })
})
