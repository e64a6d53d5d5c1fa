import { problem, type Company } from '@tacet/contracts'
import type { Caller } from '../domain/caller.ts'
import type { Cause } from '../domain/changes.ts'
import type { Dependencies, Repositories } from './ports.ts'

export interface PutResult<Entity> {
  entity: Entity
  isNew: boolean
}

/** The entity, or the problem `not-found`. */
export function found<Entity> (entity: Entity | null, what: string): Entity {
  if (entity === null) throw problem('not-found', `no such ${what}`)
  return entity
}

export async function requireCompany ({ companies }: Pick<Repositories, 'companies'>, companyId: string): Promise<Company> {
  return found(await companies.find(companyId), 'company')
}

export const causeOf = (caller: Caller, { now, newId }: Pick<Dependencies, 'now' | 'newId'>): Cause =>
  ({ caller, at: now().toISOString(), auditId: newId() })
