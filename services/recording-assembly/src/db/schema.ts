import { inboxTable, outboxTable, replicaTable } from '@tacet/service-kit'
import type { Manifest, RecordingView } from '@tacet/contracts'
import { bigint, doublePrecision, index, integer, jsonb, pgSchema, text, timestamp, unique, uuid } from 'drizzle-orm/pg-core'
import type { Reason } from '../domain/segment.ts'
import type { JobKind, JobPayload } from '../usecases/ports.ts'

export const assemblySchema = pgSchema('recording_assembly')

const instant = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' })
const timestamps = {
  createdAt: instant('created_at').notNull().defaultNow(),
  updatedAt: instant('updated_at').notNull().defaultNow(),
}

export const recordings = assemblySchema.table('recordings', {
  recordingId: uuid('recording_id').primaryKey(),
  companyId: uuid('company_id').notNull(),
  agentIds: uuid('agent_ids').array().notNull(),
  startedAt: instant('started_at').notNull(),
  manifest: jsonb().$type<Manifest>().notNull(),
  status: text().$type<RecordingView['status']>().notNull(),
  reasons: jsonb().$type<Reason[]>().notNull(),
  durationMs: doublePrecision('duration_ms'),
  samples: bigint({ mode: 'number' }),
  bytes: bigint({ mode: 'number' }),
  /** Of the WAV file. */
  sha256: text(),
  ...timestamps,
}, table => [
  index('recordings_company_id_started_at_index').on(table.companyId, table.startedAt.desc(), table.recordingId),
  index('recordings_started_at_index').on(table.startedAt.desc(), table.recordingId),
  index('recordings_agent_ids_index').using('gin', table.agentIds),
])

/** Work that is still to be done, or was parked; a job that is done is gone. */
export const jobs = assemblySchema.table('jobs', {
  jobId: uuid('job_id').primaryKey(),
  kind: text().$type<JobKind>().notNull(),
  recordingId: uuid('recording_id').notNull().references(() => recordings.recordingId, { onDelete: 'cascade' }),
  state: text().$type<'waiting' | 'running' | 'parked'>().notNull(),
  payload: jsonb().$type<JobPayload>().notNull(),
  correlationId: text('correlation_id'),
  attempts: integer().notNull().default(0),
  postponements: integer().notNull().default(0),
  runAt: instant('run_at').notNull().defaultNow(),
  leaseId: uuid('lease_id'),
  leaseExpiresAt: instant('lease_expires_at'),
  lastError: text('last_error'),
  ...timestamps,
}, table => [
  unique('jobs_recording_id_kind_unique').on(table.recordingId, table.kind),
  index('jobs_state_run_at_index').on(table.state, table.runAt),
])

export const outbox = outboxTable(assemblySchema)
export const inbox = inboxTable(assemblySchema)
export const replica = replicaTable(assemblySchema)
