import type { ProblemCode } from '@tacet/contracts'
import { operatorCaller, type Caller } from '../domain/caller.ts'
import { auditRefusal } from '../domain/changes.ts'
import type { Dependencies } from './ports.ts'
import { causeOf } from './shared.ts'

/** Refusals that say something about who asks; a typing error does not. */
const audited: ReadonlySet<ProblemCode> = new Set(['unauthenticated', 'forbidden', 'not-found', 'not-yours', 'already-exists', 'in-use', 'precondition-failed'])

export interface RefusedRequest {
  method: string
  route: string
  params: unknown
}

/** Puts a refused request into the audit log. A read that finds nothing is no refusal, unless it asks for a company that is not the caller's. */
export function createAuditRefusal (deps: Dependencies) {
  return async (caller: Caller | undefined, address: string, code: ProblemCode, request: RefusedRequest): Promise<void> => {
    if (!audited.has(code)) return
    if (code === 'not-found' && request.method === 'GET' && !asksForAnother(caller, request.params)) return
    const nobody = { ...operatorCaller, roles: [], isByJwt: false, address, isUnknown: true }
    await deps.store.announce([auditRefusal(causeOf(caller ?? nobody, deps), code, { ...request })])
  }
}

const asksForAnother = (caller: Caller | undefined, params: unknown): boolean =>
  typeof params === 'object' && params !== null && 'companyId' in params && caller?.companyId !== null && params.companyId !== caller?.companyId
