import type { FastifyRequest } from 'fastify'
import { isProblem, type AuditEntry, type ProblemCode } from '@tacet/contracts'
import { v7 as uuidv7 } from 'uuid'
import { actorKindOf } from '../auth.ts'

export interface RefusalAuditOptions {
  /** What the entries say was done, e.g. `recordings.request`. */
  action: string | ((request: FastifyRequest) => string)
  /** The refusals that say something about who asks. */
  codes: ReadonlySet<ProblemCode>
  /** Reads may be repeated; each command counts. */
  isRead?: (request: FastifyRequest) => boolean
  append: (entry: AuditEntry) => Promise<void>
  now?: () => number
}

/** A program that reads the same again and again is one entry in this time. */
const sittingMs = 10 * 60_000
const sittingsAtMost = 10_000

/**
 * Puts refused requests into the audit log of whoever asked, before they are answered: whom they asked about is not told.
 * Without the database a refusal is only in the log of the service.
 */
export function createRefusalAudit ({ action, codes, append, isRead = ({ method }) => method === 'GET' || method === 'HEAD', now = Date.now }: RefusalAuditOptions) {
  const sittings = new Map<string, number>()

  function isRepeated (key: string, atMs: number): boolean {
    const before = sittings.get(key)
    if (before !== undefined && atMs - before < sittingMs) return true
    if (sittings.size >= sittingsAtMost) sittings.clear()
    sittings.set(key, atMs)
    return false
  }

  return async (error: unknown, request: FastifyRequest): Promise<void> => {
    if (!isProblem(error) || !codes.has(error.code)) return
    const { method, principal, routeOptions: { url: route = '' } } = request
    // A token in the path is a secret even when it is wrong.
    const { deviceToken, ...params } = request.params as Record<string, unknown>
    if (error.code === 'unauthenticated' && deviceToken === undefined && request.headers.authorization === undefined) return
    const atMs = now()
    if (principal !== undefined && isRead(request) && isRepeated(JSON.stringify([principal.credentialId, route, params, error.code]), atMs)) return
    const at = new Date(atMs).toISOString()
    await append({
      auditId: uuidv7(),
      companyId: principal?.companyId ?? null,
      at,
      action: typeof action === 'string' ? action : action(request),
      outcome: 'refused',
      code: error.code,
      actor: { kind: actorKindOf(principal), credentialId: principal?.credentialId ?? null, agentId: principal?.agentId ?? null, address: request.ip },
      callId: null,
      requestedAt: at,
      effectiveAt: null,
      detail: { method, route, params },
    }).catch((err: unknown) => request.log.warn({ err, code: error.code }, 'refusal not put into the audit log'))
  }
}
export type RefusalAudit = ReturnType<typeof createRefusalAudit>
