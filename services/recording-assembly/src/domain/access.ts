import type { Role, Scope as ServiceScope } from '@tacet/contracts'

/** Which recordings somebody may know of; to them the others do not exist. */
export type Scope =
  | { kind: 'all' }
  | { kind: 'company', companyId: string }
  | { kind: 'agent', companyId: string, agentId: string }
  | { kind: 'none' }

export interface Caller {
  /** null: the operator, who may act for every company. */
  companyId: string | null
  agentId: string | null
  roles: readonly Role[]
  /** What the role `service` may do. */
  scopes?: readonly ServiceScope[]
}

const companyWide: readonly Role[] = ['owner', 'admin', 'supervisor']
const managers: readonly Role[] = ['owner', 'admin']

const hasServiceScope = ({ roles, scopes = [] }: Caller, ...wanted: ServiceScope[]): boolean =>
  roles.includes('service') && scopes.some(scope => wanted.includes(scope))

export function scopeOf (caller: Caller): Scope {
  const { companyId, agentId, roles } = caller
  if (companyId === null) return { kind: 'all' }
  if (roles.some(role => companyWide.includes(role))) return { kind: 'company', companyId }
  if (hasServiceScope(caller, 'recordings:read', 'recordings:manage')) return { kind: 'company', companyId }
  if (roles.includes('agent') && agentId !== null) return { kind: 'agent', companyId, agentId }
  return { kind: 'none' }
}

/** Whether somebody may delete, hold and cut the recordings they see, and run jobs again. */
export const mayManage = (caller: Caller): boolean =>
  caller.companyId === null || caller.roles.some(role => managers.includes(role)) || hasServiceScope(caller, 'recordings:manage')
