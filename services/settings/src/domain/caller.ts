import type { Role } from '@tacet/contracts'

/** Who sends a request: the operator, or whoever holds a credential of a company. */
export interface Caller {
  /** null: the operator, who may act for every company. */
  companyId: string | null
  credentialId: string | null
  agentId: string | null
  roles: readonly Role[]
  address: string | null
}

export const isOperator = (caller: Caller): boolean => caller.companyId === null

/** `hidden`: to this caller the company does not exist. */
export function accessToCompany (caller: Caller, companyId: string): 'granted' | 'forbidden' | 'hidden' {
  if (isOperator(caller)) return 'granted'
  if (caller.companyId !== companyId) return 'hidden'
  return isAdministrator(caller) ? 'granted' : 'forbidden'
}

export const isAdministrator = ({ roles }: Caller): boolean => roles.includes('owner') || roles.includes('admin')

/** Nobody hands out more than they have: only owners make owners. */
export const canGrant = (caller: Caller, roles: readonly Role[]): boolean => !roles.includes('owner') || caller.roles.includes('owner')
