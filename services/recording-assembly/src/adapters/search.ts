import { idSchema, problem, timestampSchema, type RecordingQuery } from '@tacet/contracts'
import { and, arrayContains, eq, gt, gte, inArray, isNotNull, isNull, lt, lte, or, sql, type SQL } from 'drizzle-orm'
import { z } from 'zod'
import { recordings } from '../db/schema.ts'
import type { Scope } from '../domain/access.ts'

export function visibleTo (scope: Scope): SQL | undefined {
  switch (scope.kind) {
    case 'all': return undefined
    case 'company': return eq(recordings.companyId, scope.companyId)
    case 'agent': return and(eq(recordings.companyId, scope.companyId), arrayContains(recordings.agentIds, [scope.agentId]))
    case 'none': return sql`false`
  }
}

/** What a query asks for, page and all; what was deleted is in no list. */
export function matching (query: RecordingQuery): SQL | undefined {
  const { companyId, from, to, agent, number, direction, hasGaps, minDurationMs, maxDurationMs, status, isOnHold, cursor } = query
  return and(
    isNull(recordings.deletedAt),
    companyId === undefined ? undefined : eq(recordings.companyId, companyId),
    from === undefined ? undefined : gte(recordings.startedAt, new Date(from)),
    to === undefined ? undefined : lt(recordings.startedAt, new Date(to)),
    agent === undefined ? undefined : arrayContains(recordings.agentIds, [agent]),
    number === undefined ? undefined : or(eq(recordings.number, number), eq(recordings.customer, number)),
    direction === undefined ? undefined : eq(recordings.direction, direction),
    hasGaps === undefined ? undefined : hasGaps ? gt(recordings.gaps, 0) : eq(recordings.gaps, 0),
    minDurationMs === undefined ? undefined : gte(recordings.durationMs, minDurationMs),
    maxDurationMs === undefined ? undefined : lte(recordings.durationMs, maxDurationMs),
    status === undefined ? undefined : inArray(recordings.status, status),
    isOnHold === undefined ? undefined : isOnHold ? isNotNull(recordings.hold) : isNull(recordings.hold),
    cursor === undefined ? undefined : after(cursor)
  )
}

const keySchema = z.tuple([timestampSchema, idSchema])

function after (cursor: string): SQL {
  try {
    const [startedAt, recordingId] = keySchema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()))
    return sql`(${recordings.startedAt}, ${recordings.recordingId}) < (${startedAt}::timestamptz, ${recordingId}::uuid)`
  } catch {
    const message = 'not a cursor of this list'
    throw problem('invalid-request', `cursor: ${message}`, { errors: [{ field: 'cursor', message }] })
  }
}

export const cursorOf = ({ startedAt, recordingId }: { startedAt: Date, recordingId: string }): string =>
  Buffer.from(JSON.stringify([startedAt.toISOString(), recordingId])).toString('base64url')
