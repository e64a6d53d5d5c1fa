import type { AuditDevice, AuditEntry } from '@tacet/contracts'
import { actorKindOf } from '@tacet/service-kit'
import type { Caller } from './access.ts'
import type { Order, Recording } from './recording.ts'

/** Who sends a request, and from where. */
export interface Asker extends Caller {
  credentialId: string | null
  address: string | null
  device?: AuditDevice
  /** When roles don't say it. */
  kind?: 'link' | 'policy'
}

/** What the domain may not find out by itself: the time and an id. */
export interface Moment { at: string, auditId: string }

export const orderOf = ({ credentialId, agentId }: Asker, reason: string, at: string): Order => ({ reason, at, credentialId, agentId })

export interface Deed {
  /** e.g. `recording.delete`. */
  action: string
  outcome: AuditEntry['outcome']
  code?: string
  detail: AuditEntry['detail']
}

/** An entry of the audit log about a recording that somebody may see. */
export function entryOf (asker: Asker, { manifest: { companyId, callId, recordingId } }: Pick<Recording, 'manifest'>, deed: Deed, moment: Moment): AuditEntry {
  return entry(asker, companyId, callId, { ...deed, detail: { recordingId, ...deed.detail } }, moment)
}

/** An entry about nothing that this caller may know of: it goes into the caller's own log. */
export const entryOfAttempt = (asker: Asker, deed: Deed, moment: Moment): AuditEntry => entry(asker, asker.companyId, null, deed, moment)

/** An entry about a recording that there is not, or not for this caller: it goes into the caller's own log. */
export function entryOfNothing (asker: Asker, recordingId: string, deed: Deed, moment: Moment): AuditEntry {
  return entryOfAttempt(asker, { ...deed, detail: { recordingId, ...deed.detail } }, moment)
}

function entry (asker: Asker, companyId: string | null, callId: string | null, { action, outcome, code, detail }: Deed, { at, auditId }: Moment): AuditEntry {
  const { credentialId, agentId, address, device } = asker
  return {
    auditId,
    companyId,
    at,
    action,
    outcome,
    code: code ?? null,
    actor: { kind: asker.kind ?? actorKindOf(asker), credentialId, agentId, address, ...(device && { device }) },
    callId,
    requestedAt: at,
    effectiveAt: outcome === 'done' ? at : null,
    detail,
  }
}

/** Tacet itself, by the company's settings. */
export const policyAsker = (companyId: string): Asker => ({ companyId, agentId: null, credentialId: null, roles: [], address: null, kind: 'policy' })
