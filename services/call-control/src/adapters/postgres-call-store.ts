import { isTransientDatabaseError, outboxRows, type Database } from '@tacet/service-kit'
import { and, asc, eq, inArray, lt, sql } from 'drizzle-orm'
import { isOver } from '../domain/call.ts'
import { calls, commandAnswers, outbox, pauseIntents } from '../db/schema.ts'
import { LeaseLost, StoreUnavailable, type CallStore, type Commit, type PauseIntent } from '../usecases/ports.ts'

export interface PostgresCallStoreOptions {
  database: Database
  pbxId: string
  /** Of the lease held now. */
  epoch: () => number
  onCommitted: () => void
}

export function createPostgresCallStore ({ database: { db }, pbxId, epoch, onCommitted }: PostgresCallStoreOptions): CallStore {
  async function guarded<T> (work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (isTransientDatabaseError(error)) throw new StoreUnavailable('the database can not be reached', { cause: error })
      throw error
    }
  }

  /** 0 rows: this revision or a newer one is there, or a newer epoch is. */
  async function explainRefusal ({ call, revision }: Commit): Promise<void> {
    const [row] = await db.select({ epoch: calls.epoch, revision: calls.revision }).from(calls).where(eq(calls.callId, call.callId))
    if (row && row.epoch > epoch()) throw new LeaseLost(`call ${call.callId} is followed under epoch ${row.epoch}`)
    // The same revision under another epoch is another instance's, not our own first attempt.
    if (row && row.revision === revision && row.epoch === epoch()) return
    throw new LeaseLost(`call ${call.callId} was stored at revision ${row?.revision ?? 'none'}, not ${revision}`)
  }

  return {
    async commit (commit) {
      await guarded(async () => {
        const result = await db.execute<{ stored: number }>(commitStatement(commit, pbxId, epoch()))
        if (Number(result.rows[0]?.stored ?? 0) === 0) await explainRefusal(commit)
      })
      onCommitted()
    },
    async noteIntent ({ callId, revision, cause, requestedAtMs }) {
      await guarded(async () => {
        await db.insert(pauseIntents).values({ callId, revision, cause, requestedAt: new Date(requestedAtMs) })
      })
    },
    async loadOpen () {
      return await guarded(async () => {
        const open = await db.select({ call: calls.state, revision: calls.revision }).from(calls).where(and(eq(calls.pbxId, pbxId), eq(calls.isOver, false)))
        const ids = open.map(({ call }) => call.callId)
        if (ids.length === 0) return { calls: [], answers: [] }
        const intents = await db.select().from(pauseIntents).where(inArray(pauseIntents.callId, ids)).orderBy(asc(pauseIntents.requestedAt))
        const answers = await db.select().from(commandAnswers).where(inArray(commandAnswers.callId, ids))
        const intentsOf = (callId: string) => intents.filter(intent => intent.callId === callId)
          .map(({ requestedAt, ...intent }): PauseIntent => ({ ...intent, requestedAtMs: requestedAt.getTime() }))
        return { calls: open.map(({ call, revision }) => ({ call, revision, intents: intentsOf(call.callId) })), answers }
      })
    },
    async find (callId) {
      return await guarded(async () => {
        const [row] = await db.select({ call: calls.state }).from(calls).where(eq(calls.callId, callId))
        return row?.call
      })
    },
  }
}

/** One statement, so one round trip and one transaction: the call, its answers, its events, and the intents they settle. */
function commitStatement ({ call, revision, messages, answers }: Commit, pbxId: string, epoch: number) {
  const rows = outboxRows(messages.map(message => ({ ...message })))
  return sql`
    with stored as (
      insert into ${calls} (call_id, pbx_id, company_id, is_over, revision, epoch, state, started_at)
      values (${call.callId}, ${pbxId}, ${call.companyId}, ${isOver(call)}, ${revision}, ${epoch}, ${JSON.stringify(call)}::jsonb, ${new Date(call.startedAtMs).toISOString()})
      on conflict (call_id) do update set company_id = excluded.company_id, is_over = excluded.is_over, revision = excluded.revision,
        epoch = excluded.epoch, state = excluded.state, updated_at = now()
      where ${calls.epoch} <= excluded.epoch and ${calls.revision} < excluded.revision
      returning 1
    ), answered as (
      insert into ${commandAnswers} (credential_id, idempotency_key, call_id, action, answer)
      select "credentialId", "idempotencyKey", "callId", action, answer
      from jsonb_to_recordset(${JSON.stringify(answers)}::jsonb) as given("credentialId" uuid, "idempotencyKey" text, "callId" uuid, action text, answer jsonb)
      where exists (select from stored)
      on conflict do nothing
    ), published as (
      insert into ${outbox} (event_id, topic, key, type, headers, payload, occurred_at)
      select "eventId", topic, key, type, headers, payload, "occurredAt"
      from rows from (jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
        as ("eventId" uuid, topic text, key text, type text, headers jsonb, payload jsonb, "occurredAt" timestamptz)) with ordinality
      where exists (select from stored)
      order by ordinality
      on conflict (event_id) do nothing
    ), settled as (
      delete from ${pauseIntents} where ${and(eq(pauseIntents.callId, call.callId), lt(pauseIntents.revision, revision))} and exists (select from stored)
    )
    select count(*)::int as stored from stored`
}
