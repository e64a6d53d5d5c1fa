import { isProblem, topics, type AuditDevice, type AuditEntry, type CommandAnswer, type Problem } from '@tacet/contracts'
import type { Call } from '../domain/call.ts'
import type { Cause } from '../domain/recording.ts'
import type { Message } from './ports.ts'

/** Something that was tried with a recording, by whomever. */
export interface Attempt {
  action: 'pause' | 'resume'
  cause: Cause
  /** As the log names whoever asked; it knows more kinds than a recording. */
  askedBy: string
  requestedAtMs: number
  address: string | null
  device?: AuditDevice | undefined
  detail: AuditEntry['detail']
}

/** An entry for the log of its company; entries of no company are kept together. */
export const messageOf = (entry: AuditEntry, id: string): Message =>
  ({ id, topic: topics.audit, type: 'audit.recorded', subject: entry.companyId ?? 'operator', occurredAt: new Date(entry.at), data: entry })

/** The entry for the audit log; whose it is, the log learns from the call. */
export function auditMessage ({ clock, newId }: { clock: () => number, newId: () => string }, call: Pick<Call, 'companyId' | 'callId'> | { companyId: string | null, callId: null }, { action, cause, askedBy, requestedAtMs, address, device, detail }: Attempt, outcome: CommandAnswer | Problem): Message {
  const atMs = clock()
  const entry: AuditEntry = {
    auditId: newId(),
    companyId: call.companyId,
    at: new Date(atMs).toISOString(),
    action: `recording.${action}`,
    outcome: !isProblem(outcome) ? 'done' : outcome.status >= 500 ? 'failed' : 'refused',
    code: isProblem(outcome) ? outcome.code : null,
    actor: { kind: askedBy, credentialId: cause.by.credentialId, agentId: cause.by.agentId, address, ...(device && { device }) },
    callId: call.callId,
    requestedAt: new Date(requestedAtMs).toISOString(),
    effectiveAt: isProblem(outcome) ? null : outcome.effectiveAt,
    detail: { ...detail, commandId: cause.commandId },
  }
  return messageOf(entry, newId())
}
