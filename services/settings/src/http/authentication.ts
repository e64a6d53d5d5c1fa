import { createHash } from 'node:crypto'
import { problem } from '@tacet/contracts'
import { deviceOf } from '@tacet/service-kit'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { accessToCompany, isOperator, type Caller, type Permission } from '../domain/caller.ts'
import type { UseCases } from '../usecases/index.ts'

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller | undefined
  }
}

const tokenOf = ({ headers }: FastifyRequest): string | undefined => /^Bearer +([\x21-\x7e]+) *$/i.exec(headers.authorization ?? '')?.[1]

const knownCallersAtMost = 10_000

/**
 * Requests are counted per key, whichever of its JWTs comes, once it has proven to be one; until then per address, so that whoever tries
 * tokens out has one budget for all of them.
 */
export function createKnownCallers () {
  const known = new Map<string, string>()
  const keyOf = (token: string) => createHash('sha256').update(token).digest('base64url')
  return {
    remember (token: string, { credentialId }: Caller): void {
      if (known.size >= knownCallersAtMost) known.clear()
      known.set(keyOf(token), credentialId ?? 'operator')
    },
    keyOf (request: FastifyRequest): string | undefined {
      const token = tokenOf(request)
      return token === undefined ? undefined : known.get(keyOf(token))
    },
  }
}
export type KnownCallers = ReturnType<typeof createKnownCallers>

/** Every route of this scope needs a valid token; 401 comes before anything else is looked at. */
export function requireCaller (scope: FastifyInstance, authenticate: UseCases['authenticate'], knownCallers: KnownCallers): void {
  scope.decorateRequest('caller', undefined)
  scope.addHook('onRequest', async request => {
    const token = tokenOf(request)
    const known = token === undefined ? null : await authenticate(token, request.ip)
    if (token === undefined || known === null) throw problem('unauthenticated')
    knownCallers.remember(token, known.caller)
    request.caller = { ...known.caller, device: deviceOf(request, known.key) }
  })
}

export function callerOf (request: FastifyRequest): Caller {
  if (request.caller === undefined) throw problem('unauthenticated')
  return request.caller
}

/** For strangers the company does not exist. */
export function requireAccess (caller: Caller, companyId: string, permission: Permission): void {
  switch (accessToCompany(caller, companyId, permission)) {
    case 'granted': return
    case 'forbidden': throw problem('forbidden')
    case 'hidden': throw problem('not-found', 'no such company')
  }
}

export function requireOperator (caller: Caller): void {
  if (!isOperator(caller)) throw problem('forbidden', 'this is for the operator')
}
