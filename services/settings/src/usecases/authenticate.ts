import { timingSafeEqual } from 'node:crypto'
import type { Caller } from '../domain/caller.ts'
import type { Dependencies } from './ports.ts'

const operator = { companyId: null, credentialId: null, agentId: null, roles: ['owner'], scopes: [] } as const

/**
 * Who a token belongs to; null for none, for revoked and expired ones, and for device tokens: a phone has no business here.
 * The operator's token is known by its hash only, and only to this process.
 */
export function createAuthenticate ({ store, tokens, now }: Dependencies, operatorToken: string) {
  const operatorHash = Buffer.from(tokens.hash(operatorToken))

  return async (token: string, address: string | null): Promise<Caller | null> => {
    const hash = tokens.hash(token)
    if (timingSafeEqual(Buffer.from(hash), operatorHash)) return { ...operator, address }
    const credential = await store.credentials.findByHash(hash)
    if (credential === null || credential.kind !== 'api-token' || credential.revokedAt !== null) return null
    if (credential.expiresAt !== null && credential.expiresAt <= now().toISOString()) return null
    const { companyId, credentialId, agentId, roles, scopes } = credential
    return { companyId, credentialId, agentId, roles, scopes, address }
  }
}
