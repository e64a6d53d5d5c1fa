import { problem } from '@tacet/contracts'
import { appendToOutbox, createKeyedQueue, deadline, type Db, type Executor, type Transaction } from '@tacet/service-kit'
import { sql } from 'drizzle-orm'
import { entities, outbox } from '../db/schema.ts'
import type { Repositories, Store, UnitOfWork } from '../usecases/ports.ts'
import { createAgentRepository } from './agents.ts'
import { createCompanyRepository } from './companies.ts'
import { createCredentialRepository } from './credentials.ts'
import { createEndpointRepository } from './endpoints.ts'
import { createKeySetRepository } from './key-sets.ts'
import { createNumberRepository } from './numbers.ts'

export interface StoreOptions {
  db: Db
  /** Called after a commit that announced something. */
  onCommitted: () => void
}

/** As long as a statement would have waited for the lock. */
const waitAtMostMs = 10_000

export function createStore ({ db, onCommitted }: StoreOptions): Store {
  const turns = createKeyedQueue()

  /** A company waits for itself without a connection: ten imports of one must not leave the others without any. */
  async function inTurn<T> (companyId: string, work: () => Promise<T>): Promise<T> {
    const begun = Promise.withResolvers<void>()
    let hasGivenUp = false
    const done = turns.run(companyId, async () => {
      begun.resolve()
      return hasGivenUp ? undefined as never : await work()
    })
    await deadline(begun.promise, waitAtMostMs, () => {
      hasGivenUp = true
      return problem('overloaded', 'other changes of this company take their time', { retryAfterSeconds: 2 })
    })
    return await done
  }

  async function inTransaction<T> (companyId: string, work: (unit: UnitOfWork) => Promise<T>): Promise<T> {
    return await inTurn(companyId, async () => await runTransaction(companyId, work))
  }

  async function runTransaction<T> (companyId: string, work: (unit: UnitOfWork) => Promise<T>): Promise<T> {
    return await db.transaction(async tx => {
      // One writer per company, also of several processes: what it reads stays so until it commits, and its events are in that order.
      await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`tacet:settings:${companyId}`}, 0))`)
      return await work(createUnitOfWork(tx))
    })
  }

  return {
    ...createRepositories(db),
    async change (companyId, work) {
      const result = await inTransaction(companyId, work)
      onCommitted()
      return result
    },
    async announce (announcements) {
      await appendToOutbox(db, outbox, announcements)
      onCommitted()
    },
    async rehearse (companyId, work) {
      const undo = new Error('undone on purpose')
      let outcome: { result: Awaited<ReturnType<typeof work>> } | undefined
      await inTransaction(companyId, async unit => {
        outcome = { result: await work(unit) }
        throw undo
      }).catch(error => { if (error !== undo) throw error })
      return (outcome as unknown as { result: Awaited<ReturnType<typeof work>> }).result
    },
  }
}

const createRepositories = (executor: Executor): Repositories => ({
  companies: createCompanyRepository(executor),
  numbers: createNumberRepository(executor),
  agents: createAgentRepository(executor),
  endpoints: createEndpointRepository(executor),
  credentials: createCredentialRepository(executor),
  keySets: createKeySetRepository(executor),
})

function createUnitOfWork (tx: Transaction): UnitOfWork {
  return {
    ...createRepositories(tx),
    async nextVersion (kind, companyId, entityId) {
      const [row] = await tx.insert(entities).values({ entityId, kind, companyId, version: 1 }).onConflictDoUpdate({
        target: entities.entityId,
        set: { version: sql`${entities.version} + 1` },
        setWhere: sql`${entities.kind} = ${kind} and ${entities.companyId} = ${companyId}`,
      }).returning({ version: entities.version })
      if (row === undefined) throw problem('already-exists', 'this id is in use')
      return row.version
    },
    announce: announcements => appendToOutbox(tx, outbox, announcements),
  }
}
