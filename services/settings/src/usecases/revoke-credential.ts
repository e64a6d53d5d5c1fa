import type { Role } from '@tacet/contracts'
import type { Caller } from '../domain/caller.ts'
import { announce } from '../domain/changes.ts'
import type { Dependencies, StoredCredential, UnitOfWork } from './ports.ts'
import { causeOf, found, requireMayGrant, requirePrecondition } from './shared.ts'
import type { Conditional } from './write-entity.ts'

export function createRevokeCredential (deps: Dependencies) {
  return async ({ caller, companyId, id, precondition }: Conditional): Promise<void> =>
    await deps.store.change(companyId, async unit => {
      const before = found(await unit.credentials.find(companyId, id), 'credential')
      requirePrecondition(precondition, before)
      await revoke(deps, unit, caller, before)
    })
}

/** Only who could have made it may end it. Once is enough: a revoked credential stays as it is. */
export async function revoke (deps: Dependencies, unit: UnitOfWork, caller: Caller, before: StoredCredential): Promise<void> {
  if (before.revokedAt !== null) return
  requireMayGrant(caller, before.roles)
  const cause = causeOf(caller, deps)
  const credential: StoredCredential = { ...before, revokedAt: cause.at, version: before.version + 1 }
  await unit.credentials.save(credential)
  await unit.announce(announce(cause, 'revoke', { kind: 'credential', value: before }, { kind: 'credential', value: credential }))
}

/** What an agent no longer is, none of the agent's keys is; one that would be nothing is revoked. */
export async function narrow (deps: Dependencies, unit: UnitOfWork, caller: Caller, before: StoredCredential, roles: readonly Role[]): Promise<void> {
  const left = before.roles.filter(role => roles.includes(role))
  if (left.length === before.roles.length) return
  if (left.length === 0) return await revoke(deps, unit, caller, before)
  requireMayGrant(caller, before.roles)
  const credential: StoredCredential = { ...before, roles: left, version: before.version + 1 }
  await unit.credentials.save(credential)
  await unit.announce(announce(causeOf(caller, deps), 'update', { kind: 'credential', value: before }, { kind: 'credential', value: credential }))
}
