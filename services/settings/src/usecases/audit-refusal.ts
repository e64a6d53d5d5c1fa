import type { AuditDevice, ProblemCode } from '@tacet/contracts'
import { createRepetitions, repetitionKeyOf } from '@tacet/service-kit'
import { isOperator, operatorCaller, type Caller } from '../domain/caller.ts'
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

export interface Refusal {
  /** undefined: nobody we know. */
  caller: Caller | undefined
  address: string
  device: AuditDevice
  code: ProblemCode
  request: RefusedRequest
  /** How often the same came again is told later, when nobody waits for it. */
  onFailure: (error: unknown) => void
}

/**
 * Puts a refused request into the audit log. A read that finds nothing is no refusal, unless it asks for a company that is
 * not the caller's.
 */
export function createAuditRefusal (deps: Dependencies) {
  const repetitions = createRepetitions({ now: () => deps.now().getTime() })

  return async ({ caller, address, device, code, request, onFailure }: Refusal): Promise<void> => {
    if (!audited.has(code)) return
    if (code === 'not-found' && request.method === 'GET' && !asksForAnother(caller, request.params)) return
    const who = caller ?? { ...operatorCaller, roles: [], isByJwt: false, address, device, isUnknown: true }
    const note = (more = {}) => deps.store.announce([auditRefusal(causeOf(who, deps), code, { ...request, ...more })])
    const credentialId = caller === undefined ? null : isOperator(caller) ? 'operator' : caller.credentialId
    const key = repetitionKeyOf({ credentialId, address, isRead: request.method === 'GET' || request.method === 'HEAD', route: request.route, params: request.params, code })
    if (key === undefined || repetitions.isNew(key, times => { note({ repeated: times }).catch(onFailure) })) await note().catch(onFailure)
  }
}

const asksForAnother = (caller: Caller | undefined, params: unknown): boolean =>
  typeof params === 'object' && params !== null && 'companyId' in params && caller?.companyId !== null && params.companyId !== caller?.companyId
