import type { Caller } from '../domain/caller.ts'
import { announce } from '../domain/changes.ts'
import type { Dependencies, StoredCredential, UnitOfWork } from './ports.ts'
import { causeOf, found } from './shared.ts'

export function createRevokeCredential (deps: Dependencies) {
  return async (caller: Caller, companyId: string, credentialId: string): Promise<void> =>
    await deps.store.change(companyId, async unit => {
      await revoke(deps, unit, caller, found(await unit.credentials.find(companyId, credentialId), 'credential'))
    })
}

/** Once is enough: a revoked credential stays as it is. */
export async function revoke (deps: Dependencies, unit: UnitOfWork, caller: Caller, before: StoredCredential): Promise<void> {
  if (before.revokedAt !== null) return
  const cause = causeOf(caller, deps)
  const credential: StoredCredential = { ...before, revokedAt: cause.at, version: before.version + 1 }
  await unit.credentials.save(credential)
  await unit.announce(announce(cause, 'revoke', { kind: 'credential', value: before }, { kind: 'credential', value: credential }))
}
