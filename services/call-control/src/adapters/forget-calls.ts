import type { Database } from '@tacet/service-kit'
import { sql } from 'drizzle-orm'
import { calls, commandAnswers, outbox, pauseIntents } from '../db/schema.ts'

const chunk = 500

/**
 * Deletes calls that have been over for so long, with their customers' numbers and the answers to their commands. Whatever
 * has not been published yet, or was parked for somebody to look at, keeps its call. Several instances may do it at once.
 */
export function createForgetCalls ({ database: { db } }: { database: Database }) {
  const isOld = (column: unknown, ageMs: number) => sql`${column} < now() - ${ageMs} * interval '1 millisecond'`

  async function forgetSome (ageMs: number): Promise<number> {
    const gone = await db.execute(sql`
      with gone as (
        delete from ${calls} where call_id in (
          select call_id from ${calls}
          where is_over and ${isOld(calls.updatedAt, ageMs)}
            and call_id::text not in (select key from ${outbox} where published_at is null)
          order by updated_at limit ${chunk} for update skip locked)
        returning call_id
      ), answers as (
        delete from ${commandAnswers} using gone where ${commandAnswers.callId} = gone.call_id
      ), intents as (
        delete from ${pauseIntents} using gone where ${pauseIntents.callId} = gone.call_id
      )
      select call_id from gone`)
    return gone.rows.length
  }

  /** An intent that was written when its call was over already has nobody to settle it. */
  async function forgetLateIntents (ageMs: number): Promise<void> {
    await db.execute(sql`
      delete from ${pauseIntents} where ${isOld(pauseIntents.requestedAt, ageMs)}
        and not exists (select from ${calls} where ${calls.callId} = ${pauseIntents.callId} and not is_over)`)
  }

  return async (ageMs: number, signal: AbortSignal): Promise<number> => {
    let forgotten = 0
    for (let some = chunk; some === chunk && !signal.aborted; forgotten += some) some = await forgetSome(ageMs)
    if (!signal.aborted) await forgetLateIntents(ageMs)
    return forgotten
  }
}
