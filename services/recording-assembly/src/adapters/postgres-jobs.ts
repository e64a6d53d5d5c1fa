import { and, eq, inArray, lt, lte, or, sql } from 'drizzle-orm'
import type { Database, Executor } from '@tacet/service-kit'
import { v7 as uuidv7 } from 'uuid'
import { jobs } from '../db/schema.ts'
import { LeaseLost } from '../usecases/errors.ts'
import type { NewJob } from '../domain/jobs.ts'
import type { Job, JobQueue } from '../usecases/ports.ts'

const isOurs = ({ jobId, leaseId }: Job) => and(eq(jobs.jobId, jobId), eq(jobs.leaseId, leaseId))
const noLease = { leaseId: null, leaseExpiresAt: null, updatedAt: sql`now()` }

/** The lease's clock is the database's, so that all instances mean the same. */
export function createJobQueue ({ database: { db }, leaseMs }: { database: Database, leaseMs: number }): JobQueue {
  const leaseEnd = sql`now() + ${leaseMs} * interval '1 millisecond'`

  return {
    async claim (limit) {
      const isFree = or(
        and(eq(jobs.state, 'waiting'), lte(jobs.runAt, sql`now()`)),
        and(eq(jobs.state, 'running'), lt(jobs.leaseExpiresAt, sql`now()`))
      )
      // In a CTE: as a plain subquery the planner may run it more than once, and claim more than the limit.
      const free = db.$with('free').as(db.select({ jobId: jobs.jobId }).from(jobs).where(isFree).orderBy(jobs.runAt).limit(limit).for('update', { skipLocked: true }))
      const claimed = await db.with(free).update(jobs)
        .set({ state: 'running', attempts: sql`${jobs.attempts} + 1`, leaseId: sql`gen_random_uuid()`, leaseExpiresAt: leaseEnd, updatedAt: sql`now()` })
        .where(inArray(jobs.jobId, db.select({ jobId: free.jobId }).from(free)))
        .returning()
      return claimed.map(row => ({ ...row, leaseId: row.leaseId as string }))
    },
    async renew (job) {
      const renewed = await db.update(jobs).set({ leaseExpiresAt: leaseEnd }).where(isOurs(job)).returning({ jobId: jobs.jobId })
      return renewed.length > 0
    },
    async putBack (job, { delayMs, error, isBlameless }) {
      await db.update(jobs).set({
        ...noLease,
        state: 'waiting',
        runAt: sql`now() + ${delayMs} * interval '1 millisecond'`,
        lastError: error,
        ...(isBlameless ? { attempts: sql`${jobs.attempts} - 1` } : {}),
        ...(isBlameless && error !== null ? { postponements: sql`${jobs.postponements} + 1` } : {}),
      }).where(isOurs(job))
    },
    async counts () {
      return await db.select({ kind: jobs.kind, state: jobs.state, count: sql<number>`count(*)::int` }).from(jobs).groupBy(jobs.kind, jobs.state)
    },
  }
}

/** The end of a job, in the transaction of its effect: only one worker can have it. */
export async function endJob (executor: Executor, job: Job): Promise<void> {
  const ended = await executor.delete(jobs).where(isOurs(job)).returning({ jobId: jobs.jobId })
  if (ended.length === 0) throw new LeaseLost()
}

/** Kept for somebody to look at. */
export async function parkJob (executor: Executor, job: Job, reason: string): Promise<void> {
  const parked = await executor.update(jobs).set({ ...noLease, state: 'parked', lastError: reason }).where(isOurs(job)).returning({ jobId: jobs.jobId })
  if (parked.length === 0) throw new LeaseLost()
}

export const newJobRow = ({ kind, item = '', payload = {}, delayMs = 0 }: NewJob, of: { recordingId: string, companyId: string, correlationId: string | null }): typeof jobs.$inferInsert =>
  ({ jobId: uuidv7(), kind, item, state: 'waiting', payload, ...of, ...(delayMs > 0 && { runAt: sql`now() + ${delayMs} * interval '1 millisecond'` as unknown as Date }) })
