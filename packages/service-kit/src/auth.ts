import { createHash } from 'node:crypto'
import type { FastifyRequest, onRequestAsyncHookHandler } from 'fastify'
import { problem, roles as allRoles, type Credential, type Role, type Scope } from '@tacet/contracts'
import { createJwtVerifier, isJwt } from './auth-jwt.ts'
import type { DataOf, TypeIn } from './events.ts'
import type { ChangeIn } from './replica/replica.ts'

/** Who is asking. */
export interface Principal {
  credentialId: string
  /** null: the operator, who may act for every company. */
  companyId: string | null
  agentId: string | null
  roles: Role[]
  /** What the role `service` may do. */
  scopes?: Scope[]
  kind: Credential['kind']
  /** What the key is called, for the audit log. */
  label?: string
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by `requirePrincipal`. */
    principal: Principal | undefined
  }
}

/** What the authenticator needs of the credentials' replica. */
export interface CredentialSource {
  list<Type extends TypeIn<'tacet.credentials.v1'>> (type: Type): DataOf<'tacet.credentials.v1', Type>[]
  onChange (listener: (change: ChangeIn<'tacet.credentials.v1'>) => void): () => void
}

export interface Authenticator {
  /** Undefined when the token is unknown, expired or revoked, or of another kind. */
  authenticate (token: string, kinds?: readonly Credential['kind'][]): Principal | undefined
  /** As `authenticate`, from `Authorization: Bearer …`; knows no JWTs. */
  authenticateRequest (request: FastifyRequest): Principal | undefined
  /** As `authenticateRequest`, and JWTs: ours, and those of the companies' identity providers. */
  identifyRequest (request: FastifyRequest): Promise<Principal | undefined>
}

export const hashToken = (token: string): string => createHash('sha256').update(token).digest('hex')

/**
 * Checks tokens in memory. Only hashes are compared, by a map lookup: its timing says nothing about a token,
 * because nobody can choose a token by its hash. The token itself is neither kept nor logged.
 */
export function createAuthenticator (credentials: CredentialSource, now: () => number = Date.now): Authenticator {
  const byHash = new Map(credentials.list('credential.changed').map(credential => [credential.hash, credential]))
  const byId = new Map(credentials.list('credential.changed').map(credential => [credential.credentialId, credential]))
  const keySets = new Map(credentials.list('jwks.changed').map(keySet => [keySet.keySetId, keySet]))
  credentials.onChange(change => {
    if (change.type === 'jwks.changed') {
      if (change.previous !== undefined) keySets.delete(change.previous.keySetId)
      if (change.value !== undefined) keySets.set(change.value.keySetId, change.value)
      return
    }
    const { value, previous } = change
    if (previous !== undefined) {
      byHash.delete(previous.hash)
      byId.delete(previous.credentialId)
    }
    if (value !== undefined) {
      byHash.set(value.hash, value)
      byId.set(value.credentialId, value)
    }
  })

  function principalOfCredential (credential: Credential | undefined): Principal | undefined {
    if (credential === undefined || !isUsable(credential, now())) return undefined
    const { credentialId, companyId, agentId, scopes = [], kind, label } = credential
    // A phone's token stands in an address that many can read: it is an agent's, whatever else it was once given.
    const roles = kind === 'device-token' ? credential.roles.filter(role => role === 'agent') : credential.roles
    if (kind === 'device-token' && roles.length === 0) return undefined
    return { credentialId, companyId, agentId, roles, scopes, kind, label }
  }

  const verifyJwt = createJwtVerifier({
    findKeySets: issuer => [...keySets.values()].filter(keySet => keySet.issuer === issuer),
    findCredential: credentialId => principalOfCredential(byId.get(credentialId)),
    now,
  })

  function authenticate (token: string, kinds: readonly Credential['kind'][] = ['api-token']): Principal | undefined {
    const credential = byHash.get(hashToken(token))
    return credential !== undefined && kinds.includes(credential.kind) ? principalOfCredential(credential) : undefined
  }

  return {
    authenticate,
    authenticateRequest (request) {
      const token = bearerToken(request.headers.authorization)
      return token === undefined ? undefined : authenticate(token)
    },
    async identifyRequest (request) {
      const token = bearerToken(request.headers.authorization)
      if (token === undefined) return undefined
      return isJwt(token) ? await verifyJwt(token) : authenticate(token)
    },
  }
}

/** Neither revoked nor expired. */
export function isUsable ({ revokedAt, expiresAt }: Pick<Credential, 'revokedAt' | 'expiresAt'>, nowMs: number): boolean {
  return revokedAt === null && (expiresAt === null || Date.parse(expiresAt) > nowMs)
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
    const principal = await authenticator.identifyRequest(request)
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

/** Whom the audit log names: the operator, or whoever asks by their strongest role; `machine` is Tacet itself, and only there. */
export function actorKindOf (who: { companyId: string | null, roles: readonly Role[] } | undefined): 'operator' | Role | 'unknown' {
  if (who === undefined) return 'unknown'
  return who.companyId === null ? 'operator' : allRoles.find(role => who.roles.includes(role)) ?? 'unknown'
}

/** People are judged by their roles; whoever is nothing but a `service` may do what its scopes name. */
export const hasScope = ({ roles, scopes = [] }: Pick<Principal, 'roles' | 'scopes'>, scope: Scope): boolean =>
  roles.some(role => role !== 'service') || (roles.includes('service') && scopes.includes(scope))

/** Throws `forbidden`, naming the scope, unless `hasScope`. */
export function requireScope (principal: Pick<Principal, 'roles' | 'scopes'>, scope: Scope): void {
  if (!hasScope(principal, scope)) throw problem('forbidden', `this needs the scope ${scope}`)
}
