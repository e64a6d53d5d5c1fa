import type { AuditDevice, Role, Scope } from '@tacet/contracts'

/** Who sends a request: the operator, or whoever holds a credential of a company. */
export interface Caller {
  /** null: the operator, who may act for every company. */
  companyId: string | null
  credentialId: string | null
  agentId: string | null
  roles: readonly Role[]
  /** What the role `service` may do. */
  scopes: readonly Scope[]
  isByJwt: boolean
  /** Nobody we know: the token was not valid. */
  isUnknown?: boolean
  address: string | null
  device?: AuditDevice
}

/** What a request wants to do with a company. `administer`: give access to others. */
export type Permission = 'read' | 'write' | 'administer' | 'audit'

const ofRoles: Record<Role, readonly Permission[]> = {
  owner: ['read', 'write', 'administer', 'audit'],
  admin: ['read', 'write', 'administer', 'audit'],
  supervisor: ['read'],
  agent: [],
  service: [],
}
const ofScopes: Partial<Record<Scope, readonly Permission[]>> = {
  'settings:read': ['read'],
  'settings:write': ['read', 'write'],
  'audit:read': ['audit'],
}

export const operatorCaller = { companyId: null, credentialId: null, agentId: null, roles: ['owner'], scopes: [] } as const

export const isOperator = (caller: Caller): boolean => caller.companyId === null

export function isAllowed ({ roles, scopes }: Caller, permission: Permission): boolean {
  return roles.some(role => ofRoles[role].includes(permission)) ||
    (roles.includes('service') && scopes.some(scope => ofScopes[scope]?.includes(permission)))
}

/** `hidden`: to this caller the company does not exist. */
export function accessToCompany (caller: Caller, companyId: string, permission: Permission): 'granted' | 'forbidden' | 'hidden' {
  if (isOperator(caller)) return 'granted'
  if (caller.companyId !== companyId) return 'hidden'
  return isAllowed(caller, permission) ? 'granted' : 'forbidden'
}

/**
 * Nobody hands out more than they have, nor takes it away: only owners make owners and end their keys, and only who
 * administers makes somebody more than an agent.
 */
export function canGrant (caller: Caller, roles: readonly Role[]): boolean {
  if (roles.includes('owner') && !caller.roles.includes('owner')) return false
  return roles.every(role => role === 'agent') || isAllowed(caller, 'administer')
}
