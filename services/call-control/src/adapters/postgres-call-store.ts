import { appendToOutbox, createBatcher, isTransientDatabaseError, outboxRows, type Database } from '@tacet/service-kit'
import { and, asc, eq, inArray } from 'drizzle-orm'
import { calls, commandAnswers, outbox, pauseIntents } from '../db/schema.ts'
import { LeaseLost, StoreUnavailable, type CallStore, type PauseIntent } from '../usecases/ports.ts'
import { commitStatement, commitValues, intentStatement, intentValues, type PreparedCommit } from './commit-statement.ts'

export interface PostgresCallStoreOptions {
  database: Database
  pbxId: string
  /** Of the lease held now. */
  epoch: () => number
  onCommitted: () => void
}

export function createPostgresCallStore ({ database, pbxId, epoch, onCommitted }: PostgresCallStoreOptions): CallStore {
  const { db } = database
  const isShared = isTransientDatabaseError
  const storeCalls = database.prepare<{ callId: string }>('store-calls', commitStatement)
  const noteIntents = database.prepare('note-intents', intentStatement)

  /** Whether each was stored. Many calls that change at once cost little more than one. */
  const storeCommit = createBatcher<PreparedCommit, boolean>({
    isShared,
    keyOf: ({ call }) => call.callId,
    async run (commits) {
      const stored = await storeCalls(commitValues(commits, pbxId))
      return commits.map(({ call }) => stored.some(({ callId }) => callId === call.callId))
    },
  })
  const storeIntent = createBatcher<PauseIntent, undefined>({
    isShared,
    keyOf: intent => intent,
    maxInFlight: 1,
    async run (intents) {
      await noteIntents(intentValues(intents))
      return intents.map(() => undefined)
    },
  })

  async function guarded<T> (work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (isTransientDatabaseError(error)) throw new StoreUnavailable('the database can not be reached', { cause: error })
      throw error
    }
  }

  /** 0 rows: this revision or a newer one is there, or a newer epoch is. */
  async function explainRefusal ({ call, revision, epoch }: PreparedCommit): Promise<void> {
    const [row] = await db.select({ epoch: calls.epoch, revision: calls.revision }).from(calls).where(eq(calls.callId, call.callId))
    if (row && row.epoch > epoch) throw new LeaseLost(`call ${call.callId} is followed under epoch ${row.epoch}`)
    // The same revision under another epoch is another instance's, not our own first attempt.
    if (row && row.revision === revision && row.epoch === epoch) return
    throw new LeaseLost(`call ${call.callId} was stored at revision ${row?.revision ?? 'none'}, not ${revision}`)
  }

  return {
    async commit (commit) {
      const prepared = { ...commit, epoch: epoch(), rows: outboxRows(commit.messages.map(message => ({ ...message }))) }
      await guarded(async () => {
        if (!await storeCommit(prepared)) await explainRefusal(prepared)
      })
      onCommitted()
    },
    noteIntent: async intent => await guarded(() => storeIntent(intent)),
    async announce (message) {
      await guarded(() => appendToOutbox(db, outbox, [message]))
      onCommitted()
    },
    async loadOpen () {
      return await guarded(async () => {
        const open = await db.select({ call: calls.state, revision: calls.revision }).from(calls).where(and(eq(calls.pbxId, pbxId), eq(calls.isOver, false)))
        const ids = open.map(({ call }) => call.callId)
        if (ids.length === 0) return { calls: [], answers: [] }
        const intents = await db.select().from(pauseIntents).where(inArray(pauseIntents.callId, ids)).orderBy(asc(pauseIntents.requestedAt))
        const answers = await db.select().from(commandAnswers).where(inArray(commandAnswers.callId, ids))
        const intentsOf = (callId: string) => intents.filter(intent => intent.callId === callId)
          .map(({ requestedAt: _requestedAt, ...intent }): PauseIntent => intent)
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
