import { createLocalJWKSet, decodeJwt, errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose'
import { audienceOfCompany, operatorSubject, roleSchema, scopeSchema, usableKeys, type KeySet, type Role, type Scope } from '@tacet/contracts'
import { v5 as uuidv5 } from 'uuid'
import { z } from 'zod'
import type { Principal } from './auth.ts'

/** An opaque token of ours holds no dot. */
export const isJwt = (token: string): boolean => token.split('.').length === 3

export interface JwtVerifierOptions {
  findKeySets: (issuer: string) => KeySet[] | Promise<KeySet[]>
  /** Whoever holds this credential, unless it is revoked or expired. */
  findCredential: (credentialId: string) => Principal | undefined | Promise<Principal | undefined>
  /** Fetches the keys of a provider again, whose token was signed by one that is not among them; undefined: not now. */
  refetch?: (keySet: KeySet) => Promise<KeySet | undefined>
  now?: () => number
}

/** Our own clocks and those of identity providers may differ by this much. */
export const clockToleranceS = 5
export const ownTokenLifetimeS = 15 * 60
/** Of a provider's token: whoever leaves there is not let in here for longer. */
const tokenLifetimeAtMostS = 24 * 60 * 60

/**
 * Checks a JWT: ES256 or RS256, issuer, audience, times. One of ours stands for a credential, and ends with it;
 * another names somebody of the company whose identity provider signed it, and which it is made out to: two companies
 * may trust one issuer. Undefined when anything is wrong.
 */
export function createJwtVerifier ({ findKeySets, findCredential, refetch, now = Date.now }: JwtVerifierOptions) {
  const verifiers = new WeakMap<KeySet, { getKey: JWTVerifyGetKey, untilMs: number }>()

  /** Made anew when a key's time has passed. */
  function verifierOf (keySet: KeySet): JWTVerifyGetKey {
    const known = verifiers.get(keySet)
    if (known !== undefined && now() < known.untilMs) return known.getKey
    const keys = usableKeys(keySet.keys, now())
    const getKey = createLocalJWKSet({ keys: keys.map(({ kid, usableUntil: _, ...key }) => ({ ...key, ...(kid === undefined ? {} : { kid }) })) })
    verifiers.set(keySet, { getKey, untilMs: Math.min(...keys.map(({ usableUntil }) => usableUntil === undefined ? Infinity : Date.parse(usableUntil))) })
    return getKey
  }

  async function payloadOf (token: string, keySet: KeySet): Promise<JWTPayload | undefined> {
    try {
      return await verified(token, keySet)
    } catch (error) {
      const isOfNewKey = error instanceof errors.JWKSNoMatchingKey && keySet.companyId !== null
      const fetched = isOfNewKey ? await refetch?.(keySet) : undefined
      return fetched && await verified(token, fetched).catch(() => undefined)
    }
  }

  async function verified (token: string, keySet: KeySet): Promise<JWTPayload> {
    const { payload } = await jwtVerify(token, verifierOf(keySet), {
      algorithms: ['ES256', 'RS256'],
      issuer: keySet.issuer,
      audience: keySet.companyId === null ? keySet.audience : audienceOfCompany(keySet.companyId),
      requiredClaims: ['exp', 'iat', 'sub'],
      maxTokenAge: keySet.companyId === null ? ownTokenLifetimeS : tokenLifetimeAtMostS,
      clockTolerance: clockToleranceS,
      currentDate: new Date(now()),
    })
    return payload
  }

  return async (token: string): Promise<Principal | undefined> => {
    const { iss = '', aud = [] } = claimsOf(token)
    const companies = [aud].flat().filter(audience => audience.startsWith(audienceOfCompany('')))
    if (companies.length > 1) return undefined
    for (const keySet of await findKeySets(iss)) {
      if (keySet.companyId !== null && audienceOfCompany(keySet.companyId) !== companies[0]) continue
      const payload = await payloadOf(token, keySet)
      if (payload?.sub === undefined) continue
      if (keySet.companyId !== null) return principalOfClaims(payload, { ...keySet, companyId: keySet.companyId })
      return payload.sub === operatorSubject ? operator : await findCredential(payload.sub)
    }
    return undefined
  }
}

const operator: Principal = { credentialId: operatorSubject, companyId: null, agentId: null, roles: ['owner'], scopes: [], kind: 'api-token' }

const claimedSchema = z.object({ iss: z.string(), aud: z.union([z.string(), z.array(z.string())]) })

/** Only to choose the keys by; nothing is believed before the signature is checked. */
function claimsOf (token: string): Pick<JWTPayload, 'iss' | 'aud'> {
  try {
    return claimedSchema.parse(decodeJwt(token))
  } catch {
    return {}
  }
}

const agentIdSchema = z.guid().toLowerCase().nullable().catch(null)
const namesSchema = z.union([z.array(z.string()), z.string().transform(text => [text])]).catch([])
/** The claims whose text is a list: RFC 8693, 4.2. Any other is one name: a group may be called "admin team". */
const listClaims = ['scope', 'scp']

function namesIn (payload: JWTPayload, claim: string): string[] {
  const names = namesSchema.parse(payload[claim])
  return listClaims.includes(claim) ? names.flatMap(name => name.split(' ')) : names
}

/** The same person has the same id in every audit entry. Whoever has no role here is nobody here. */
function principalOfClaims (payload: JWTPayload, { keySetId, companyId, claims, roles: names }: KeySet & { companyId: string }): Principal | undefined {
  const agentId = agentIdSchema.parse(payload[claims.agentId])
  const roles = namesIn(payload, claims.roles).flatMap(name => roleOf(name, names)).filter(role => role !== 'agent' || agentId !== null)
  if (roles.length === 0) return undefined
  return { credentialId: uuidv5(payload.sub ?? '', keySetId), companyId, agentId, roles: [...new Set(roles)], scopes: scopesOf(payload), kind: 'api-token', label: payload.sub ?? '' }
}

/** Providers call the claim one or the other. */
const scopesOf = (payload: JWTPayload): Scope[] =>
  [...new Set(listClaims.flatMap(claim => namesIn(payload, claim)))].flatMap(name => scopeSchema.safeParse(name).data ?? [])

function roleOf (name: string, names: KeySet['roles']): Role[] {
  if (Object.hasOwn(names, name)) return [names[name] as Role]
  const own = roleSchema.safeParse(name)
  return own.success ? [own.data] : []
}
