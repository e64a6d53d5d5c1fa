import type { NewOutboxRow } from '@tacet/service-kit'
import { lt, sql } from 'drizzle-orm'
import { isOver } from '../domain/call.ts'
import { calls, commandAnswers, outbox, pauseIntents } from '../db/schema.ts'
import type { Commit, PauseIntent } from '../usecases/ports.ts'

export interface PreparedCommit extends Commit {
  /** Of the lease under which it is made. */
  epoch: number
  rows: NewOutboxRow[]
}

/**
 * One statement, so one round trip and one transaction, for the commits of any number of calls: each with its answers,
 * its events, and the intents it settles. Returns the calls that were stored; the others had moved on.
 */
export const commitStatement = sql`
  with given as (
    select * from jsonb_to_recordset(${sql.placeholder('given')}::jsonb)
      as (call_id uuid, company_id uuid, is_over boolean, revision integer, epoch bigint, state jsonb, started_at timestamptz)
  ), stored as (
    insert into ${calls} (call_id, pbx_id, company_id, is_over, revision, epoch, state, started_at)
    select call_id, ${sql.placeholder('pbxId')}, company_id, is_over, revision, epoch, state, started_at from given order by call_id
    on conflict (call_id) do update set company_id = excluded.company_id, is_over = excluded.is_over, revision = excluded.revision,
      epoch = excluded.epoch, state = excluded.state, updated_at = now()
    where ${calls.epoch} <= excluded.epoch and ${calls.revision} < excluded.revision
    returning call_id, revision
  ), answered as (
    insert into ${commandAnswers} (credential_id, idempotency_key, call_id, action, answer)
    select "credentialId", "idempotencyKey", "callId", action, answer
    from jsonb_to_recordset(${sql.placeholder('answers')}::jsonb) as answers("credentialId" uuid, "idempotencyKey" text, "callId" uuid, action text, answer jsonb)
    where "callId" in (select call_id from stored)
    on conflict do nothing
  ), published as (
    insert into ${outbox} (event_id, topic, key, type, headers, payload, occurred_at)
    select "eventId", topic, key, type, headers, payload, "occurredAt"
    from rows from (jsonb_to_recordset(${sql.placeholder('rows')}::jsonb)
      as ("callId" uuid, "eventId" uuid, topic text, key text, type text, headers jsonb, payload jsonb, "occurredAt" timestamptz)) with ordinality
    where "callId" in (select call_id from stored)
    order by ordinality
    on conflict (event_id) do nothing
  ), settled as (
    delete from ${pauseIntents} using stored
    where ${pauseIntents.callId} = stored.call_id and ${lt(pauseIntents.revision, sql`stored.revision`)}
  )
  select call_id as "callId" from stored`

export function commitValues (commits: PreparedCommit[], pbxId: string) {
  const given = commits.map(({ call, revision, epoch }) => ({
    call_id: call.callId, company_id: call.companyId, is_over: isOver(call), revision, epoch, state: call, started_at: new Date(call.startedAtMs),
  }))
  const answers = commits.flatMap(commit => commit.answers)
  const rows = commits.flatMap(({ call, rows }) => rows.map(row => ({ ...row, callId: call.callId })))
  return { pbxId, given: JSON.stringify(given), answers: JSON.stringify(answers), rows: JSON.stringify(rows) }
}

/**
 * Not waited for by PostgreSQL's own disk: an intent has to outlive this process, not the machine. After a crash of both
 * the stopped recorder is the evidence; and its flush would stand in the way of the commit that follows.
 */
export const intentStatement = sql`
  insert into ${pauseIntents} (call_id, revision, attempt, requested_at)
  select "callId", revision, attempt, "requestedAt"
  from jsonb_to_recordset(${sql.placeholder('given')}::jsonb) as given("callId" uuid, revision integer, attempt jsonb, "requestedAt" timestamptz),
    set_config('synchronous_commit', 'off', true)`

export const intentValues = (intents: PauseIntent[]) =>
  ({ given: JSON.stringify(intents.map(intent => ({ ...intent, requestedAt: new Date(intent.attempt.requestedAtMs) }))) })
