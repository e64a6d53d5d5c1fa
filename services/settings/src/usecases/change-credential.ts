import { credentialChangesSchema } from '@tacet/contracts'
import { isDeepStrictEqual } from 'node:util'
import { announce } from '../domain/changes.ts'
import { mergePatch } from '../domain/merge-patch.ts'
import type { Dependencies, StoredCredential } from './ports.ts'
import { causeOf, found, invalid, refusedBy, requireMayGrant, requirePrecondition } from './shared.ts'
import type { Conditional } from './write-entity.ts'

/** `patch` is a JSON Merge Patch of label and expiry. Only who could have made the key may say when it ends. */
export function createChangeCredential (deps: Dependencies) {
  return async ({ caller, companyId, id, precondition }: Conditional, patch: unknown): Promise<StoredCredential> => await deps.store.change(companyId, async unit => {
    const before = found(await unit.credentials.find(companyId, id), 'credential')
    requirePrecondition(precondition, before)
    const merged = credentialChangesSchema.safeParse(mergePatch({ label: before.label, expiresAt: before.expiresAt }, patch))
    if (!merged.success) throw refusedBy(merged.error)
    requireMayGrant(caller, before.roles)
    const cause = causeOf(caller, deps)
    const expiresAt = merged.data.expiresAt && new Date(merged.data.expiresAt).toISOString()
    if (expiresAt !== null && expiresAt !== before.expiresAt && expiresAt <= cause.at) throw invalid('expiresAt', 'is past; to end it now, delete it')
    const credential: StoredCredential = { ...before, label: merged.data.label, expiresAt }
    if (isDeepStrictEqual(before, credential)) return before
    const changed = { ...credential, version: before.version + 1 }
    await unit.credentials.save(changed)
    await unit.announce(announce(cause, 'update', { kind: 'credential', value: before }, { kind: 'credential', value: changed }))
    return changed
  })
}
