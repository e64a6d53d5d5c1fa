import { topics, type Agent, type AuditEntry, type Company, type Credential, type KeySet, type PhoneNumber } from '@tacet/contracts'
import { actorKindOf } from '@tacet/service-kit'
import type { Caller } from './caller.ts'

/** An event to publish; the adapter gives it its id. */
export interface Announcement {
  topic: string
  type: string
  subject: string
  data: unknown
}

export type Entity =
  | { kind: 'company', value: Company }
  | { kind: 'number', value: PhoneNumber }
  | { kind: 'agent', value: Agent }
  | { kind: 'credential', value: Credential }
  | { kind: 'key-set', value: KeySet }
export type EntityKind = Entity['kind']

/** Who caused a change, and what the domain may not find out by itself: the time and an id. */
export interface Cause {
  caller: Caller
  at: string
  auditId: string
}

/** Entries of no company are kept together under this key. */
const operatorKey = 'operator'

export function idOf ({ kind, value }: Entity): string {
  switch (kind) {
    case 'company': return value.companyId
    case 'number': return value.numberId
    case 'agent': return value.agentId
    case 'credential': return value.credentialId
    case 'key-set': return value.keySetId
  }
}

/** The new state, for everyone's copy. */
export function stateOf (entity: Entity): Announcement {
  const { kind, value } = entity
  const topic = kind === 'credential' || kind === 'key-set' ? topics.credentials : topics.settings
  return { topic, type: kind === 'key-set' ? 'jwks.changed' : `${kind}.changed`, subject: idOf(entity), data: value }
}

/** What everybody hears of a change: the new state (a tombstone when it is gone) and the audit entry. */
export function announce (cause: Cause, action: string, before: Entity | null, after: Entity | null): Announcement[] {
  const entity = after ?? before
  if (entity === null) throw new Error('a change needs a before or an after')
  const { companyId } = entity.value
  const state = stateOf(entity)
  return [
    after === null ? { ...state, data: null } : state,
    audit(cause, companyId, `${entity.kind}.${action}`, { entityId: idOf(entity), before: withoutSecrets(before), after: withoutSecrets(after) }),
  ]
}

export function audit (cause: Cause, companyId: string | null, action: string, detail: AuditEntry['detail']): Announcement {
  return auditOf(cause, companyId, action, { outcome: 'done', code: null }, detail)
}

/** What was refused, in the log of whoever asked: whom they asked about learns nothing, and is told nothing. */
export function auditRefusal (cause: Cause, code: string, detail: AuditEntry['detail']): Announcement {
  return auditOf(cause, cause.caller.companyId, 'settings.request', { outcome: 'refused', code }, detail)
}

function auditOf ({ caller, at, auditId }: Cause, companyId: string | null, action: string, result: Pick<AuditEntry, 'outcome' | 'code'>, detail: AuditEntry['detail']): Announcement {
  const { credentialId, agentId, address, device } = caller
  const entry: AuditEntry = {
    auditId,
    companyId,
    at,
    action,
    ...result,
    actor: { kind: caller.isUnknown ? 'unknown' : actorKindOf(caller), credentialId, agentId, address, ...(device && { device }) },
    callId: null,
    requestedAt: at,
    effectiveAt: result.outcome === 'done' ? at : null,
    detail,
  }
  return { topic: topics.audit, type: 'audit.recorded', subject: companyId ?? operatorKey, data: entry }
}

function withoutSecrets (entity: Entity | null): Record<string, unknown> | null {
  if (entity?.kind !== 'credential') return entity && { ...entity.value }
  const { hash: _, ...shown } = entity.value
  return shown
}
