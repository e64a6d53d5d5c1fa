import { createHash } from 'node:crypto'
import type { FastifyRequest, onRequestAsyncHookHandler } from 'fastify'
import { problem, type Credential, type Role } from '@tacet/contracts'
import type { ChangeIn } from './replica/replica.ts'

/** Who is asking. */
export interface Principal {
  credentialId: string
  /** null: the operator, who may act for every company. */
  companyId: string | null
  agentId: string | null
  roles: Role[]
  kind: Credential['kind']
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by `requirePrincipal`. */
    principal: Principal | undefined
  }
}

/** What the authenticator needs of the credentials' replica. */
export interface CredentialSource {
  list (type: 'credential.changed'): Credential[]
  onChange (listener: (change: ChangeIn<'tacet.credentials.v1'>) => void): () => void
}

export interface Authenticator {
  /** Undefined when the token is unknown, expired or revoked, or of another kind. */
  authenticate (token: string, kinds?: readonly Credential['kind'][]): Principal | undefined
  /** As `authenticate`, from `Authorization: Bearer …`. */
  authenticateRequest (request: FastifyRequest): Principal | undefined
}

export const hashToken = (token: string): string => createHash('sha256').update(token).digest('hex')

/**
 * Checks tokens in memory. Only hashes are compared, by a map lookup: its timing says nothing about a token,
 * because nobody can choose a token by its hash. The token itself is neither kept nor logged.
 */
export function createAuthenticator (credentials: CredentialSource, now: () => number = Date.now): Authenticator {
  const byHash = new Map(credentials.list('credential.changed').map(credential => [credential.hash, credential]))
  credentials.onChange(({ value, previous }) => {
    if (previous !== undefined) byHash.delete(previous.hash)
    if (value !== undefined) byHash.set(value.hash, value)
  })

  function authenticate (token: string, kinds: readonly Credential['kind'][] = ['api-token']): Principal | undefined {
    const credential = byHash.get(hashToken(token))
    if (credential === undefined || !kinds.includes(credential.kind)) return undefined
    if (credential.revokedAt !== null) return undefined
    if (credential.expiresAt !== null && Date.parse(credential.expiresAt) <= now()) return undefined
    const { credentialId, companyId, agentId, roles, kind } = credential
    return { credentialId, companyId, agentId, roles, kind }
  }

  return {
    authenticate,
    authenticateRequest (request) {
      const token = bearerToken(request.headers.authorization)
      return token === undefined ? undefined : authenticate(token)
    },
  }
}

function bearerToken (header: string | undefined): string | undefined {
  return /^Bearer +([\w.~+/-]+=*) *$/i.exec(header ?? '')?.[1]
}

export interface RequirePrincipalOptions {
  /** One of these is enough; any when left out. */
  roles?: readonly Role[]
}

/** An `onRequest` hook: 401 without a valid token, 403 without one of the roles; then `request.principal` is set. */
export function requirePrincipal (authenticator: Authenticator, { roles }: RequirePrincipalOptions = {}): onRequestAsyncHookHandler {
  return async request => {
    const principal = authenticator.authenticateRequest(request)
    if (principal === undefined) throw problem('unauthenticated')
    if (roles !== undefined && !roles.some(role => principal.roles.includes(role))) throw problem('forbidden')
    request.principal = principal
  }
}

/** The principal of a request behind `requirePrincipal`. */
export function principalOf (request: FastifyRequest): Principal {
  if (request.principal === undefined) throw problem('unauthenticated')
  return request.principal
}
