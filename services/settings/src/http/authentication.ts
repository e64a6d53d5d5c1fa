import { problem } from '@tacet/contracts'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { accessToCompany, isOperator, type Caller } from '../domain/caller.ts'
import type { UseCases } from '../usecases/index.ts'

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller | undefined
  }
}

/** Every route of this scope needs a valid token; 401 comes before anything else is looked at. */
export function requireCaller (scope: FastifyInstance, authenticate: UseCases['authenticate']): void {
  scope.decorateRequest('caller', undefined)
  scope.addHook('onRequest', async request => {
    const token = /^Bearer +([\x21-\x7e]+) *$/i.exec(request.headers.authorization ?? '')?.[1]
    const caller = token === undefined ? null : await authenticate(token, request.ip)
    if (caller === null) throw problem('unauthenticated')
    request.caller = caller
  })
}

export function callerOf (request: FastifyRequest): Caller {
  if (request.caller === undefined) throw problem('unauthenticated')
  return request.caller
}

/** To administer a company; for strangers it does not exist. */
export function requireAccess (caller: Caller, companyId: string): void {
  switch (accessToCompany(caller, companyId)) {
    case 'granted': return
    case 'forbidden': throw problem('forbidden')
    case 'hidden': throw problem('not-found', 'no such company')
  }
}

export function requireOperator (caller: Caller): void {
  if (!isOperator(caller)) throw problem('forbidden', 'this is for the operator')
}
