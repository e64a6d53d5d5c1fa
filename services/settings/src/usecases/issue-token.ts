import { isDeepStrictEqual } from 'node:util'
import { operatorSubject, problem, usableKeys, type PublicKey } from '@tacet/contracts'
import { clockToleranceS, ownTokenLifetimeS } from '@tacet/service-kit'
import { isOperator, type Caller } from '../domain/caller.ts'
import { audit, stateOf } from '../domain/changes.ts'
import type { Dependencies, StoredKeySet } from './ports.ts'
import { causeOf, found } from './shared.ts'

/** The key set of our own JWTs. */
export const ownKeySetId = '00000000-0000-4000-8000-0000000000aa'
export const issuer = 'urn:tacet:settings'
export const audience = 'urn:tacet'
const lifetimeMs = ownTokenLifetimeS * 1_000
/** The current key and those of the last starts. */
const keysAtMost = 4

/** A JWT in exchange for a key: it stands for that key for a quarter of an hour, or until the key ends. */
export function createIssueToken ({ signer, now, newId }: Dependencies) {
  return async (caller: Caller): Promise<{ token: string, tokenType: 'Bearer', expiresAt: string }> => {
    if (caller.isByJwt) throw problem('forbidden', 'a token is given for a key, not for another token')
    const subject = isOperator(caller) ? operatorSubject : caller.credentialId
    if (subject === null) throw problem('forbidden')
    const issuedAt = now()
    const expiresAt = new Date(Math.floor((issuedAt.getTime() + lifetimeMs) / 1_000) * 1_000)
    return { token: await signer.sign({ subject, issuer, audience, issuedAt, expiresAt, tokenId: newId() }), tokenType: 'Bearer', expiresAt: expiresAt.toISOString() }
  }
}

/**
 * Lets everybody know the key we sign with; the same key again changes nothing. The one before is believed for as long as
 * a token may still be about: who has come by it does not come in for ever.
 */
export function createAnnounceSigningKey ({ store, signer, now }: Dependencies) {
  return async (): Promise<void> => await store.change(ownKeySetId, async unit => {
    const before = await unit.keySets.find(ownKeySetId)
    const usableUntil = new Date(now().getTime() + lifetimeMs + clockToleranceS * 1_000).toISOString()
    const others = usableKeys(before?.keys ?? [], now().getTime()).filter(({ kid }) => kid !== signer.publicKey.kid).map(key => ({ usableUntil, ...key }))
    const keys = [signer.publicKey, ...others].slice(0, keysAtMost)
    if (isDeepStrictEqual(before?.keys, keys)) return
    const value: StoredKeySet = {
      keySetId: ownKeySetId,
      companyId: null,
      issuer,
      audience,
      jwksUrl: null,
      keys,
      claims: { agentId: 'tacet_agent_id', roles: 'tacet_roles' },
      roles: {},
      fetchedAt: now().toISOString(),
      lastError: null,
      version: await unit.nextVersion('key-set', ownKeySetId, ownKeySetId),
    }
    await unit.keySets.save(value)
    await unit.announce([stateOf({ kind: 'key-set', value })])
  })
}

/** What `/v1/jwks.json` shows. */
export function createReadSigningKeys ({ store, signer, now }: Dependencies) {
  return async (): Promise<PublicKey[]> => usableKeys((await store.keySets.find(ownKeySetId))?.keys ?? [signer.publicKey], now().getTime())
}

/** Ends at once what a key signed. `in-use` for the one we sign with ourselves: it would be back with the next start. */
export function createRetireSigningKey (deps: Dependencies) {
  return async (caller: Caller, kid: string): Promise<void> => await deps.store.change(ownKeySetId, async unit => {
    const before = found(await unit.keySets.find(ownKeySetId), 'signing key')
    if (kid === deps.signer.publicKey.kid) throw problem('in-use', 'this service signs with it: start it with another SETTINGS_JWT_PRIVATE_KEY first')
    const keys = before.keys.filter(key => key.kid !== kid)
    if (keys.length === before.keys.length) throw problem('not-found', 'no such signing key')
    const value = { ...before, keys, version: await unit.nextVersion('key-set', ownKeySetId, ownKeySetId) }
    await unit.keySets.save(value)
    await unit.announce([stateOf({ kind: 'key-set', value }), audit(causeOf(caller, deps), null, 'signing-key.retire', { kid })])
  })
}
