import type { FastifyRequest } from 'fastify'
import { isProblem, type AuditEntry, type ProblemCode } from '@tacet/contracts'
import { v7 as uuidv7 } from 'uuid'
import { actorKindOf } from '../auth.ts'
import { deviceOf } from './device.ts'
import { createRepetitions, type RepetitionOptions } from './repetitions.ts'

export interface RefusalAuditOptions {
  /** What the entries say was done, e.g. `recordings.request`. */
  action: string | ((request: FastifyRequest) => string)
  /** The refusals that say something about who asks. */
  codes: ReadonlySet<ProblemCode>
  /** Reads may be repeated; each command counts. */
  isRead?: (request: FastifyRequest) => boolean
  append: (entry: AuditEntry) => Promise<void>
  now?: () => number
  windowMs?: RepetitionOptions['windowMs']
}

/**
 * What makes a refused request the same as one before: the same read by the same key, or anything by nobody we know from
 * the same address to the same route. Undefined: each counts.
 */
export function repetitionKeyOf ({ credentialId, address, isRead, route, params, code }: {
  /** null: nobody we know. */
  credentialId: string | null, address: string | null, isRead: boolean, route: string, params: unknown, code: ProblemCode
}): string | undefined {
  if (credentialId === null) return JSON.stringify([address, route, code])
  return isRead ? JSON.stringify([credentialId, route, params, code]) : undefined
}

/**
 * Puts refused requests into the audit log of whoever asked, before they are answered: whom they asked about is not told.
 * What is the same again is one entry, and when ten minutes are over another that says how often it came. Without the
 * database a refusal is only in the log of the service.
 */
export function createRefusalAudit ({ action, codes, append, isRead = ({ method }) => method === 'GET' || method === 'HEAD', now = Date.now, windowMs }: RefusalAuditOptions) {
  const repetitions = createRepetitions({ now, ...(windowMs !== undefined && { windowMs }) })

  return async (error: unknown, request: FastifyRequest): Promise<void> => {
    if (!isProblem(error) || !codes.has(error.code)) return
    const { code } = error
    const { method, principal, routeOptions: { url: route = '' } } = request
    // A token in the path is a secret even when it is wrong.
    const { deviceToken, ...params } = request.params as Record<string, unknown>
    if (code === 'unauthenticated' && deviceToken === undefined && request.headers.authorization === undefined) return

    async function note (detail: AuditEntry['detail']): Promise<void> {
      const at = new Date(now()).toISOString()
      await append({
        auditId: uuidv7(),
        companyId: principal?.companyId ?? null,
        at,
        action: typeof action === 'string' ? action : action(request),
        outcome: 'refused',
        code,
        actor: { kind: actorKindOf(principal), credentialId: principal?.credentialId ?? null, agentId: principal?.agentId ?? null, address: request.ip, device: deviceOf(request) },
        callId: null,
        requestedAt: at,
        effectiveAt: null,
        detail,
      }).catch((err: unknown) => request.log.warn({ err, code }, 'refusal not put into the audit log'))
    }

    const detail = { method, route, params }
    const key = repetitionKeyOf({ credentialId: principal?.credentialId ?? null, address: request.ip, isRead: isRead(request), route, params, code })
    if (key === undefined || repetitions.isNew(key, times => { note({ ...detail, repeated: times }).catch(() => {}) })) await note(detail)
  }
}
export type RefusalAudit = ReturnType<typeof createRefusalAudit>
