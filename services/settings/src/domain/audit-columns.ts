import { auditEntrySchema, type AuditEntry } from '@tacet/contracts'

/** Entries of no company are kept together in this chain. */
export const operatorChain = 'operator'

export const chainOf = ({ companyId }: Pick<AuditEntry, 'companyId'>): string => companyId ?? operatorChain

/** What is kept beside an entry, to filter by. */
export const columnsOf = ({ auditId, at, action, outcome, code, actor, callId }: AuditEntry) =>
  ({ auditId, at: new Date(at).toISOString(), action, outcome, code, agentId: actor.agentId, credentialId: actor.credentialId, callId })

/** The same, from an entry as it is stored; nothing when that is no entry. */
export function columnsOfText (text: string): Record<string, unknown> {
  try {
    return columnsOf(auditEntrySchema.parse(JSON.parse(text)))
  } catch {
    return {}
  }
}
