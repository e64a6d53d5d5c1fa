import { operatorSubject, problem, type PublicKey } from '@tacet/contracts'
import { isOperator, type Caller } from '../domain/caller.ts'
import { stateOf } from '../domain/changes.ts'
import type { Dependencies, StoredKeySet } from './ports.ts'

/** The key set of our own JWTs. */
export const ownKeySetId = '00000000-0000-4000-8000-0000000000aa'
export const issuer = 'urn:tacet:settings'
export const audience = 'urn:tacet'
const lifetimeMs = 15 * 60_000
/** The current key and those of the last starts, whose tokens may still be about. */
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

/** Lets everybody know the key we sign with; the same key again changes nothing. */
export function createAnnounceSigningKey ({ store, signer, now }: Dependencies) {
  return async (): Promise<void> => await store.change(ownKeySetId, async unit => {
    const before = await unit.keySets.find(ownKeySetId)
    if (before?.keys[0]?.kid === signer.publicKey.kid) return
    const others = before?.keys.filter(({ kid }) => kid !== signer.publicKey.kid) ?? []
    const value: StoredKeySet = {
      keySetId: ownKeySetId,
      companyId: null,
      issuer,
      audience,
      jwksUrl: null,
      keys: [signer.publicKey, ...others].slice(0, keysAtMost),
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
export function createReadSigningKeys ({ store, signer }: Dependencies) {
  return async (): Promise<PublicKey[]> => (await store.keySets.find(ownKeySetId))?.keys ?? [signer.publicKey]
}
