import { timingSafeEqual } from 'node:crypto'
import type { KeySet } from '@tacet/contracts'
import { createJwtVerifier, isJwt, isUsable, type Principal } from '@tacet/service-kit'
import { operatorCaller, type Caller } from '../domain/caller.ts'
import type { Dependencies, StoredCredential } from './ports.ts'

const operatorKey = { kind: 'operator-token' }

/**
 * Who a token belongs to; null for none, for revoked and expired ones, and for device tokens: a phone has no business here.
 * The operator's token is known by its hash only, and only to this process.
 */
export function createAuthenticate ({ store, tokens, now }: Dependencies, operatorToken: string, refetch: (keySet: KeySet) => Promise<KeySet | undefined>) {
  const operatorHash = Buffer.from(tokens.hash(operatorToken))
  const usable = (credential: StoredCredential | null): StoredCredential | null =>
    credential !== null && credential.kind === 'api-token' && isUsable(credential, now().getTime()) ? { ...credential, label: credential.label || credential.prefix } : null
  const verify = createJwtVerifier({
    findKeySets: issuer => store.keySets.findByIssuer(issuer),
    findCredential: async credentialId => usable(await store.credentials.findById(credentialId)) ?? undefined,
    refetch,
    now: () => now().getTime(),
  })

  async function identify (token: string): Promise<Principal | null> {
    if (isJwt(token)) return await verify(token) ?? null
    return usable(await store.credentials.findByHash(tokens.hash(token)))
  }

  return async (token: string, address: string | null): Promise<{ caller: Caller, key: { kind: string, label?: string } } | null> => {
    if (timingSafeEqual(Buffer.from(tokens.hash(token)), operatorHash)) return { caller: { ...operatorCaller, isByJwt: false, address }, key: operatorKey }
    const principal = await identify(token)
    if (principal === null) return null
    if (principal.companyId === null) return { caller: { ...operatorCaller, isByJwt: true, address }, key: operatorKey }
    const { companyId, credentialId, agentId, roles, scopes = [] } = principal
    return { caller: { companyId, credentialId, agentId, roles, scopes, isByJwt: isJwt(token), address }, key: principal }
  }
}
