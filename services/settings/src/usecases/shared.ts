import { problem, type Company, type Role } from '@tacet/contracts'
import type { z } from 'zod'
import { canGrant, type Caller } from '../domain/caller.ts'
import type { Cause } from '../domain/changes.ts'
import { isPreconditionMet, type Precondition, type Tagged } from '../domain/precondition.ts'
import type { Dependencies, Repositories } from './ports.ts'

/** The entity, or the problem `not-found`. */
export function found<Entity> (entity: Entity | null, what: string): Entity {
  if (entity === null) throw problem('not-found', `no such ${what}`)
  return entity
}

export async function requireCompany ({ companies }: Pick<Repositories, 'companies'>, companyId: string): Promise<Company> {
  return found(await companies.find(companyId), 'company')
}

export function requirePrecondition (precondition: Precondition, entity: Tagged | null): void {
  if (!isPreconditionMet(precondition, entity)) throw problem('precondition-failed')
}

/** `field`: where the roles stand in what was asked. */
export function requireMayGrant (caller: Caller, roles: readonly Role[], field?: string): void {
  if (canGrant(caller, roles)) return
  const message = roles.includes('owner') ? 'only an owner makes owners, changes them and ends their keys' : 'only owners and admins say who is more than an agent'
  throw problem('forbidden', message, field === undefined ? {} : { errors: [{ field, message }] })
}

export const invalid = (field: string, message: string) => problem('invalid-request', `${field}: ${message}`, { errors: [{ field, message }] })

/** What a schema refused, named as for a request's body. */
export function refusedBy (error: z.ZodError) {
  const errors = error.issues.flatMap(issue => issue.code === 'unrecognized_keys'
    ? issue.keys.map(key => ({ field: [...issue.path, key].join('.'), message: 'not a known field' }))
    : [{ field: issue.path.join('.') || 'body', message: issue.message }])
  return problem('invalid-request', errors.map(({ field, message }) => `${field}: ${message}`).join('; '), { errors })
}

export const causeOf = (caller: Caller, { now, newId }: Pick<Dependencies, 'now' | 'newId'>): Cause =>
  ({ caller, at: now().toISOString(), auditId: newId() })
