import type { AuditDevice, AuditEntry } from '@tacet/contracts'
import { actorKindOf } from '@tacet/service-kit'
import type { Caller } from './access.ts'
import type { Order, Recording, RecordingEvent } from './recording.ts'

/** Who sends a request, and from where. */
export interface Asker extends Caller {
  credentialId: string | null
  address: string | null
  device?: AuditDevice
  /** When roles don't say it. */
  kind?: 'link' | 'policy' | 'machine'
}

/** What the domain may not find out by itself: the time and an id. */
export interface Moment { at: string, auditId: string }

export const orderOf = ({ credentialId, agentId }: Asker, reason: string, at: string): Order => ({ reason, at, credentialId, agentId })

export interface Deed {
  /** e.g. `recording.delete`. */
  action: string
  outcome: AuditEntry['outcome']
  /** It is done later, which is an entry of its own. */
  isOnlyOrdered?: boolean
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

function entry (asker: Asker, companyId: string | null, callId: string | null, { action, outcome, isOnlyOrdered = false, code, detail }: Deed, { at, auditId }: Moment): AuditEntry {
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
    effectiveAt: outcome === 'done' && !isOnlyOrdered ? at : null,
    detail,
  }
}

const itself = { agentId: null, credentialId: null, roles: [], address: null }

/** Tacet itself, by the company's settings. */
export const policyAsker = (companyId: string): Asker => ({ ...itself, companyId, kind: 'policy' })

/** The entry about what was ordered earlier and is done now, or given up; null when the event tells of something else. */
export function entryOfEnd (recording: Pick<Recording, 'manifest'>, event: RecordingEvent, moment: Moment): AuditEntry | null {
  const end = endOf(event)
  if (end === null) return null
  const { orderedAt, by, ...deed } = end
  const worker: Asker = { ...itself, companyId: recording.manifest.companyId, kind: 'machine' }
  return { ...entryOf(worker, recording, { ...deed, detail: { ...deed.detail, orderedAt, orderedBy: by } }, moment), requestedAt: orderedAt }
}

function endOf ({ type, data }: RecordingEvent): Deed & { orderedAt: string, by: { credentialId: string | null, agentId: string | null } } | null {
  switch (type) {
    case 'recording.purged': {
      const { purgeId, version, sha256, orderedAt, by } = data
      return { action: 'recording.purge', outcome: 'done', detail: { purgeId, version, sha256 }, orderedAt, by }
    }
    case 'recording.purge-failed': {
      const { purgeId, code, detail, orderedAt, by } = data
      return { action: 'recording.purge', outcome: 'failed', code, detail: { purgeId, parkedBecause: detail }, orderedAt, by }
    }
    case 'recording.deleted': {
      const { cause, orderedAt, by } = data
      return { action: 'recording.delete', outcome: 'done', detail: { cause }, orderedAt, by }
    }
    default: return null
  }
}
