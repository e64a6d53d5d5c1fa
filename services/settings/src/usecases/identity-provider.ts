import { isDeepStrictEqual } from 'node:util'
import { audienceOfCompany, problem, type IdentityProvider, type KeySet, type putIdentityProviderSchema } from '@tacet/contracts'
import type { z } from 'zod'
import { isOperator, type Caller } from '../domain/caller.ts'
import { announce, stateOf } from '../domain/changes.ts'
import type { Precondition } from '../domain/precondition.ts'
import { issuer as ownIssuer } from './issue-token.ts'
import type { Dependencies, StoredKeySet, UnitOfWork } from './ports.ts'
import { causeOf, found, invalid, requireCompany, requirePrecondition } from './shared.ts'

export type IdentityProviderFields = z.output<typeof putIdentityProviderSchema>

/** It can make anybody anything in the company, so only owners choose it. */
function requireOwner (caller: Caller): void {
  if (!isOperator(caller) && !caller.roles.includes('owner')) throw problem('forbidden', 'only an owner chooses the identity provider')
}

/** Accepts the JWTs of a company's own identity provider, whose keys are fetched first. */
export function createPutIdentityProvider (deps: Dependencies) {
  return async (caller: Caller, companyId: string, fields: IdentityProviderFields, precondition: Precondition = {}): Promise<{ entity: StoredKeySet, isNew: boolean }> => {
    requireOwner(caller)
    if (fields.issuer === ownIssuer) throw invalid('issuer', 'is Tacet itself')
    const keys = await deps.fetchKeys(fields.jwksUrl).catch((error: Error) => { throw invalid('jwksUrl', error.message) })
    return await deps.store.change(companyId, async unit => {
      await requireCompany(unit, companyId)
      const before = await unit.keySets.findOfCompany(companyId)
      requirePrecondition(precondition, before)
      const keySetId = before?.keySetId ?? deps.newId()
      const entity: StoredKeySet = {
        ...fields, keySetId, companyId, audience: audienceOfCompany(companyId), keys, fetchedAt: deps.now().toISOString(), lastError: null, version: await unit.nextVersion('key-set', companyId, keySetId),
      }
      await unit.keySets.save(entity)
      await unit.announce(announce(causeOf(caller, deps), before === null ? 'create' : 'update', before && { kind: 'key-set', value: before }, { kind: 'key-set', value: entity }))
      return { entity, isNew: before === null }
    })
  }
}

export function createDeleteIdentityProvider (deps: Dependencies) {
  return async (caller: Caller, companyId: string, precondition: Precondition = {}): Promise<void> => {
    requireOwner(caller)
    await deps.store.change(companyId, async unit => {
      const before = found(await unit.keySets.findOfCompany(companyId), 'identity provider')
      requirePrecondition(precondition, before)
      await removeIdentityProvider(deps, unit, caller, before)
    })
  }
}

export async function removeIdentityProvider (deps: Dependencies, unit: UnitOfWork, caller: Caller, value: StoredKeySet): Promise<void> {
  await unit.keySets.remove(value.keySetId)
  await unit.announce(announce(causeOf(caller, deps), 'delete', { kind: 'key-set', value }, null))
}

/** Fetches the keys of an identity provider again; what can't be fetched keeps the keys it has. */
function createRefresh (deps: Dependencies) {
  return async function refresh ({ keySetId, companyId, jwksUrl }: StoredKeySet): Promise<void> {
    if (companyId === null || jwksUrl === null) return
    const result = await deps.fetchKeys(jwksUrl).then(keys => ({ keys }), (error: Error) => ({ error: error.message }))
    await deps.store.change(companyId, async unit => {
      const current = await unit.keySets.find(keySetId)
      if (current === null || current.jwksUrl !== jwksUrl) return
      if ('error' in result) return await unit.keySets.save({ ...current, lastError: result.error })
      const isSame = isDeepStrictEqual(result.keys, current.keys)
      const value = { ...current, keys: result.keys, fetchedAt: deps.now().toISOString(), lastError: null, version: isSame ? current.version : await unit.nextVersion('key-set', companyId, keySetId) }
      await unit.keySets.save(value)
      if (!isSame) await unit.announce([stateOf({ kind: 'key-set', value })])
    })
  }
}

export function createRefreshIdentityProviders (deps: Dependencies) {
  const refresh = createRefresh(deps)
  return async (): Promise<void> => {
    for (const keySet of await deps.store.keySets.allOfCompanies()) await refresh(keySet)
  }
}

const refetchEveryMs = 60_000

/** The keys as the provider has them now, when a token names one that is new; at most once a minute, for anybody can write such a token. */
export function createRefetchKeys (deps: Dependencies) {
  const refresh = createRefresh(deps)
  const fetchedAtMs = new Map<string, number>()
  return async ({ keySetId }: Pick<KeySet, 'keySetId'>): Promise<KeySet | undefined> => {
    const nowMs = deps.now().getTime()
    if (nowMs - (fetchedAtMs.get(keySetId) ?? -Infinity) < refetchEveryMs) return undefined
    fetchedAtMs.set(keySetId, nowMs)
    const known = await deps.store.keySets.find(keySetId)
    if (known === null) return undefined
    await refresh(known)
    return await deps.store.keySets.find(keySetId) ?? undefined
  }
}

/** As the company sees it. */
export function viewOf (keySet: StoredKeySet): IdentityProvider {
  const { companyId, jwksUrl } = keySet
  if (companyId === null || jwksUrl === null) throw new Error('no identity provider of a company')
  return { ...keySet, companyId, jwksUrl }
}
