import { randomUUID } from 'node:crypto'
import { topics, type Credential } from '@tacet/contracts'
import type { OutboxMessage } from '@tacet/service-kit'

export const companyId = 'c0000000-0000-4000-8000-000000000001'

/** A small event of a call; `seq` numbers them. */
export function callHeld (callId: string, seq: number): OutboxMessage {
  return { topic: topics.calls, type: 'call.held', subject: callId, data: { callId, companyId, seq, at: '2026-11-23T09:00:00.000Z', agentId: null } }
}

export function credential (version: number, fields: Partial<Credential> = {}): Credential {
  return {
    credentialId: randomUUID(), companyId, agentId: null, kind: 'api-token', label: '', roles: ['admin'], hash: '0'.repeat(64), expiresAt: null, revokedAt: null, version, ...fields,
  }
}
