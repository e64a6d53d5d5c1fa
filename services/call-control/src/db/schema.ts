import type { CommandAnswer } from '@tacet/contracts'
import { outboxTable, replicaTable } from '@tacet/service-kit'
import { sql } from 'drizzle-orm'
import { bigint, boolean, index, integer, jsonb, pgSchema, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core'
import type { Call } from '../domain/call.ts'
import type { Attempt } from '../usecases/audit-attempt.ts'

export const callControl = pgSchema('call_control')

const instant = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' })

/** One row a call; the state is stored whole at every change. */
export const calls = callControl.table('calls', {
  callId: uuid('call_id').primaryKey(),
  pbxId: text('pbx_id').notNull(),
  companyId: uuid('company_id').notNull(),
  isOver: boolean('is_over').notNull(),
  revision: integer().notNull(),
  /** Of the lease under which it was written: an instance that was replaced can't overwrite its successor. */
  epoch: bigint({ mode: 'number' }).notNull(),
  state: jsonb().$type<Call>().notNull(),
  startedAt: instant('started_at').notNull(),
  updatedAt: instant('updated_at').notNull().defaultNow(),
}, table => [
  index('calls_open_index').on(table.pbxId, table.isOver),
  index('calls_over_index').on(table.updatedAt).where(sql`is_over`),
])

/** Pauses that were asked for; read only when an instance takes over. */
export const pauseIntents = callControl.table('pause_intents', {
  callId: uuid('call_id').notNull(),
  revision: integer().notNull(),
  attempt: jsonb().$type<Attempt>().notNull(),
  requestedAt: instant('requested_at').notNull(),
}, table => [index('pause_intents_call_index').on(table.callId)])

/** Answers by Idempotency-Key. */
export const commandAnswers = callControl.table('command_answers', {
  credentialId: uuid('credential_id').notNull(),
  idempotencyKey: text('idempotency_key').notNull(),
  callId: uuid('call_id').notNull(),
  action: text().$type<'pause' | 'resume'>().notNull(),
  answer: jsonb().$type<CommandAnswer>().notNull(),
  createdAt: instant('created_at').notNull().defaultNow(),
}, table => [
  primaryKey({ name: 'command_answers_pk', columns: [table.credentialId, table.idempotencyKey] }),
  index('command_answers_call_index').on(table.callId),
])

/** Who may act on a PBX. */
export const leases = callControl.table('leases', {
  pbxId: text('pbx_id').primaryKey(),
  holder: uuid().notNull(),
  epoch: bigint({ mode: 'number' }).notNull(),
  expiresAt: instant('expires_at').notNull(),
})

export const outbox = outboxTable(callControl)
export const replica = replicaTable(callControl)
