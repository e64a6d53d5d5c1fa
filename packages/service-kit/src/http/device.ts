import type { AuditDevice } from '@tacet/contracts'
import type { FastifyRequest } from 'fastify'

const textAtMost = 200

/** By what a request came, for the audit log. */
export function deviceOf ({ headers, principal }: FastifyRequest, who: { kind: string, label?: string | null } | undefined = principal): AuditDevice {
  const text = (value: string | null | undefined): string | null => value?.replaceAll(/\p{Cc}/gu, ' ').slice(0, textAtMost) || null
  return { kind: who?.kind ?? 'unknown', label: text(who?.label), userAgent: text(headers['user-agent']) }
}
