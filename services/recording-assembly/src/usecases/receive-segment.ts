import type { CallEventData } from '@tacet/contracts'
import type { Transaction } from '@tacet/service-kit'
import type { Copies } from './ports.ts'

export type ReceiveSegment = ReturnType<typeof createReceiveSegment>

/** Takes note of a segment to check while its call goes on. The last one comes with the end of the recording: its assembly looks at it. */
export function createReceiveSegment ({ copies }: { copies: Copies }) {
  return async ({ callId, recordingId, companyId, segment }: CallEventData<'segment.closed'>, correlationId: string | null, tx: Transaction): Promise<boolean> => {
    if (segment.closedBy === 'end') return false
    return await copies.request(tx, { callId, recordingId, companyId, correlationId }, segment)
  }
}
