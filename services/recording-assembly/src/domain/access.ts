import type { Role } from '@tacet/contracts'

/** Which recordings somebody may know of; to them the others do not exist. */
export type Scope =
  | { kind: 'all' }
  | { kind: 'company', companyId: string }
  | { kind: 'agent', companyId: string, agentId: string }
  | { kind: 'none' }

const companyWide: readonly Role[] = ['owner', 'admin', 'supervisor', 'service']

export function scopeOf ({ companyId, agentId, roles }: { companyId: string | null, agentId: string | null, roles: readonly Role[] }): Scope {
  if (companyId === null) return { kind: 'all' }
  if (roles.some(role => companyWide.includes(role))) return { kind: 'company', companyId }
  if (roles.includes('agent') && agentId !== null) return { kind: 'agent', companyId, agentId }
  return { kind: 'none' }
}
