import { inboxTable, outboxTable } from '@tacet/service-kit'
import type { Agent, AuditEntry, Company, Credential, KeySet, PhoneNumber } from '@tacet/contracts'
import { bigint, boolean, index, integer, jsonb, pgSchema, primaryKey, text, timestamp, unique, uuid } from 'drizzle-orm/pg-core'

export const settingsSchema = pgSchema('settings')
/** Of an owner whom nobody logs in as; made by infra/postgres/init.sql. */
export const auditSchema = pgSchema('settings_audit')

const timestamps = {
  createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
  updatedAt: timestamp('updated_at', { withTimezone: true }).notNull().defaultNow(),
}

/**
 * Every id of a company, number or agent that was ever used, with its latest version; rows stay when the entity goes.
 * So an id means one thing for ever, and versions grow across delete and re-create.
 */
export const entities = settingsSchema.table('entities', {
  entityId: uuid('entity_id').primaryKey(),
  kind: text().$type<'company' | 'number' | 'agent' | 'key-set'>().notNull(),
  companyId: uuid('company_id').notNull(),
  version: integer().notNull(),
})

export const companies = settingsSchema.table('companies', {
  companyId: uuid('company_id').primaryKey(),
  version: integer().notNull(),
  name: text().notNull(),
  timeZone: text('time_zone').notNull(),
  recording: jsonb().$type<Company['recording']>().notNull(),
  agentInitiatedPause: text('agent_initiated_pause').$type<Company['agentInitiatedPause']>().notNull(),
  isRecordingLocked: boolean('is_recording_locked').notNull(),
  isPauseLocked: boolean('is_pause_locked').notNull(),
  transfers: text().$type<Company['transfers']>().notNull(),
  gaps: text().$type<Company['gaps']>().notNull().default('remove'),
  longestPauseMs: integer('longest_pause_ms').notNull().default(600_000),
  afterLongestPause: text('after_longest_pause').$type<Company['afterLongestPause']>().notNull().default('none'),
  retentionDays: integer('retention_days'),
  minimumLengthMs: integer('minimum_length_ms').notNull().default(0),
  recordingChannels: text('recording_channels').$type<Company['recordingChannels']>().notNull().default('mono'),
  outputFormats: text('output_formats').array().$type<Company['outputFormats']>().notNull().default([]),
  country: text(),
  ...timestamps,
})

const companyId = () => uuid('company_id').notNull().references(() => companies.companyId)

const overrides = {
  recording: jsonb().$type<PhoneNumber['recording']>().notNull(),
  agentInitiatedPause: text('agent_initiated_pause').$type<PhoneNumber['agentInitiatedPause']>().notNull(),
}

export const numbers = settingsSchema.table('numbers', {
  numberId: uuid('number_id').primaryKey(),
  companyId: companyId(),
  version: integer().notNull(),
  number: text().notNull(),
  label: text().notNull(),
  ...overrides,
  ...timestamps,
}, table => [unique('numbers_company_id_number_unique').on(table.companyId, table.number)])

export const agents = settingsSchema.table('agents', {
  agentId: uuid('agent_id').primaryKey(),
  companyId: companyId(),
  version: integer().notNull(),
  name: text().notNull(),
  email: text(),
  endpoints: text().array().notNull(),
  roles: text().array().$type<Agent['roles']>().notNull().default(['agent']),
  ...overrides,
  ...timestamps,
}, table => [index('agents_company_id_index').on(table.companyId)])

/** Endpoints are global on a PBX. The operator gives each to a company, which gives it to one of its agents. */
export const endpoints = settingsSchema.table('endpoints', {
  endpoint: text().primaryKey(),
  agentId: uuid('agent_id').references(() => agents.agentId, { onDelete: 'set null' }),
  companyId: companyId(),
}, table => [index('endpoints_agent_id_index').on(table.agentId), index('endpoints_company_id_index').on(table.companyId)])

export const credentials = settingsSchema.table('credentials', {
  credentialId: uuid('credential_id').primaryKey(),
  companyId: companyId(),
  /** No foreign key: a credential outlives its agent, revoked. */
  agentId: uuid('agent_id'),
  kind: text().$type<Credential['kind']>().notNull(),
  label: text().notNull(),
  roles: text().array().$type<Credential['roles']>().notNull(),
  scopes: text().array().$type<NonNullable<Credential['scopes']>>().notNull().default([]),
  /** The first characters of the token, by which people recognise it. */
  prefix: text().notNull().default(''),
  hash: text().notNull().unique('credentials_hash_unique'),
  expiresAt: timestamp('expires_at', { withTimezone: true }),
  revokedAt: timestamp('revoked_at', { withTimezone: true }),
  version: integer().notNull(),
  ...timestamps,
}, table => [index('credentials_company_id_index').on(table.companyId)])

/** The keys of our own JWTs, and of the identity providers of companies. */
export const keySets = settingsSchema.table('key_sets', {
  keySetId: uuid('key_set_id').primaryKey(),
  /** null: our own. */
  companyId: uuid('company_id').references(() => companies.companyId).unique('key_sets_company_id_unique'),
  issuer: text().notNull(),
  audience: text().notNull(),
  jwksUrl: text('jwks_url'),
  keys: jsonb().$type<KeySet['keys']>().notNull(),
  claims: jsonb().$type<KeySet['claims']>().notNull(),
  roles: jsonb().$type<KeySet['roles']>().notNull(),
  version: integer().notNull(),
  fetchedAt: timestamp('fetched_at', { withTimezone: true }).notNull().defaultNow(),
  lastError: text('last_error'),
  ...timestamps,
}, table => [index('key_sets_issuer_index').on(table.issuer)])

/** One chain per company, and one of the operator. The row is also the lock of whoever appends. */
export const auditChains = auditSchema.table('audit_chains', {
  chain: text().primaryKey(),
  length: bigint({ mode: 'number' }).notNull(),
  /** Of the last entry. */
  hash: text().notNull(),
})

/** Append-only: the service may select and insert, owns nothing of it, and triggers refuse the rest to everybody else. */
export const auditLog = auditSchema.table('audit_log', {
  chain: text().notNull().references(() => auditChains.chain),
  seq: bigint({ mode: 'number' }).notNull(),
  /** Over all chains, in the order of arrival. */
  position: bigint({ mode: 'number' }).notNull().generatedAlwaysAsIdentity(),
  auditId: uuid('audit_id').notNull().unique('audit_log_audit_id_unique'),
  at: timestamp({ withTimezone: true }).notNull(),
  action: text().notNull(),
  outcome: text().$type<AuditEntry['outcome']>().notNull(),
  code: text(),
  agentId: uuid('agent_id'),
  credentialId: uuid('credential_id'),
  callId: uuid('call_id'),
  /** Canonical JSON, as it is hashed. The columns above repeat parts of it for filters. */
  entry: text().notNull(),
  previousHash: text('previous_hash').notNull(),
  hash: text().notNull(),
}, table => [
  primaryKey({ name: 'audit_log_pkey', columns: [table.chain, table.seq] }),
  index('audit_log_chain_position_index').on(table.chain, table.position),
  index('audit_log_call_id_index').on(table.callId),
])

export const inbox = inboxTable(settingsSchema)
export const outbox = outboxTable(settingsSchema)
