import { sql } from 'drizzle-orm'
import { inboxTable, outboxTable, replicaTable } from '@tacet/service-kit'
import type { Direction, JobKind, JobState, Manifest } from '@tacet/contracts'
import { bigint, doublePrecision, index, integer, jsonb, pgSchema, primaryKey, text, timestamp, unique, uuid } from 'drizzle-orm/pg-core'
import type { JobPayload } from '../domain/jobs.ts'
import type { Deletion, Hold, PurgeOrder, RecordingStatus } from '../domain/recording.ts'
import type { Reason } from '../domain/segment.ts'

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
  direction: text().$type<Direction>().notNull(),
  number: text(),
  customer: text(),
  gaps: integer().notNull(),
  manifest: jsonb().$type<Manifest>().notNull(),
  status: text().$type<RecordingStatus>().notNull(),
  reasons: jsonb().$type<Reason[]>().notNull(),
  /** Grows with each attempt to make or cut it; names the folder in the store. */
  generation: integer().notNull().default(0),
  /** The generation that counts; null until there is an outcome. */
  storedGeneration: integer('stored_generation'),
  /** What a purge makes a new one of. */
  version: integer().notNull().default(1),
  durationMs: doublePrecision('duration_ms'),
  samples: bigint({ mode: 'number' }),
  bytes: bigint({ mode: 'number' }),
  /** Of the WAV file. */
  sha256: text(),
  /** SHA-512 in base64url, once it was measured. */
  sha512: text(),
  /** When the version that counts was made. */
  storedAt: instant('stored_at'),
  /** Null: until somebody deletes it. */
  retainUntil: instant('retain_until'),
  hold: jsonb().$type<Hold>(),
  /** Asked for and not done yet: until then nobody hears anything. */
  purge: jsonb().$type<PurgeOrder>(),
  deletion: jsonb().$type<Deletion>(),
  deletedAt: instant('deleted_at'),
  ...timestamps,
}, table => [
  index('recordings_company_id_started_at_index').on(table.companyId, table.startedAt, table.recordingId),
  index('recordings_started_at_index').on(table.startedAt, table.recordingId),
  index('recordings_agent_ids_index').using('gin', table.agentIds),
  index('recordings_company_id_number_index').on(table.companyId, table.number),
  index('recordings_company_id_customer_index').on(table.companyId, table.customer),
  index('recordings_retain_until_index').on(table.retainUntil).where(sql`retain_until is not null and deleted_at is null`),
])

/** The files of a recording beside the master and its timeline: other formats, peaks. */
export const files = assemblySchema.table('files', {
  recordingId: uuid('recording_id').notNull().references(() => recordings.recordingId, { onDelete: 'cascade' }),
  generation: integer().notNull(),
  file: text().notNull(),
  bytes: bigint({ mode: 'number' }).notNull(),
  sha256: text().notNull(),
  createdAt: instant('created_at').notNull().defaultNow(),
}, table => [primaryKey({ name: 'files_pkey', columns: [table.recordingId, table.generation, table.file] })])

/** The keys of encrypted generations, themselves encrypted; a key that is deleted makes its files unreadable for ever. */
export const dataKeys = assemblySchema.table('data_keys', {
  recordingId: uuid('recording_id').notNull(),
  generation: integer().notNull(),
  /** Of the master key by which it is wrapped. */
  masterKeyId: text('master_key_id').notNull(),
  wrapped: text().notNull(),
  createdAt: instant('created_at').notNull().defaultNow(),
}, table => [
  primaryKey({ name: 'data_keys_pkey', columns: [table.recordingId, table.generation] }),
  index('data_keys_master_key_id_index').on(table.masterKeyId),
])

/** Who listened to what, once per sitting: many ranges are one. */
export const accesses = assemblySchema.table('accesses', {
  recordingId: uuid('recording_id').notNull().references(() => recordings.recordingId, { onDelete: 'cascade' }),
  version: integer().notNull(),
  /** The format and how it was used, by whom or by which link, and from which address. */
  sitting: text().notNull(),
  begunAt: instant('begun_at').notNull(),
}, table => [
  primaryKey({ name: 'accesses_pkey', columns: [table.recordingId, table.version, table.sitting] }),
  index('accesses_begun_at_index').on(table.begunAt),
])

/** Copies of segments that were fetched while their call went on. */
export const copies = assemblySchema.table('copies', {
  recordingId: uuid('recording_id').notNull(),
  /** On the PBX. */
  name: text().notNull(),
  /** Below the folder of work. */
  path: text().notNull(),
  bytes: bigint({ mode: 'number' }).notNull(),
  sha256: text().notNull(),
  createdAt: instant('created_at').notNull().defaultNow(),
}, table => [
  primaryKey({ name: 'copies_pkey', columns: [table.recordingId, table.name] }),
  index('copies_created_at_index').on(table.createdAt),
])

/** Work that is still to be done, or was parked; a job that is done is gone. */
export const jobs = assemblySchema.table('jobs', {
  jobId: uuid('job_id').primaryKey(),
  kind: text().$type<JobKind>().notNull(),
  /** There is none yet while segments are checked ahead. */
  recordingId: uuid('recording_id').notNull(),
  companyId: uuid('company_id').notNull(),
  /** Tells jobs of one kind for one recording apart: the format to encode, say. */
  item: text().notNull().default(''),
  state: text().$type<JobState>().notNull(),
  payload: jsonb().$type<JobPayload>().notNull(),
  correlationId: text('correlation_id'),
  attempts: integer().notNull().default(0),
  postponements: integer().notNull().default(0),
  /** 0 to 1, as far as it tells. */
  progress: doublePrecision(),
  runAt: instant('run_at').notNull().defaultNow(),
  leaseId: uuid('lease_id'),
  leaseExpiresAt: instant('lease_expires_at'),
  lastError: text('last_error'),
  ...timestamps,
}, table => [
  unique('jobs_recording_id_kind_item_unique').on(table.recordingId, table.kind, table.item),
  index('jobs_state_company_id_kind_run_at_index').on(table.state, table.companyId, table.kind, table.runAt, table.jobId),
  index('jobs_company_id_index').on(table.companyId, table.createdAt),
])

export const outbox = outboxTable(assemblySchema)
export const inbox = inboxTable(assemblySchema)
export const replica = replicaTable(assemblySchema)
