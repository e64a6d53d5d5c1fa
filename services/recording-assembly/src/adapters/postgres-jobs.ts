import { and, eq, inArray, sql } from 'drizzle-orm'
import type { Database, Executor } from '@tacet/service-kit'
import { jobKinds, type JobKind } from '@tacet/contracts'
import { v7 as uuidv7 } from 'uuid'
import { jobs } from '../db/schema.ts'
import { LeaseLost } from '../usecases/errors.ts'
import type { NewJob } from '../domain/jobs.ts'
import type { Job, JobQueue } from '../usecases/ports.ts'

const isOurs = ({ jobId, leaseId }: Job) => and(eq(jobs.jobId, jobId), eq(jobs.leaseId, leaseId))
const noLease = { progress: null, leaseId: null, leaseExpiresAt: null, updatedAt: sql`now()` }

/** These come after everything else, and in this order. */
const patientKinds = ['measure', 'encode'] as const
const otherKinds = jobKinds.filter(kind => !patientKinds.some(patient => patient === kind))

/** So many jobs others may be claiming at the same moment. */
const OTHERS = 64

/** The lease's clock is the database's, so that all instances mean the same. */
export function createJobQueue ({ database: { db }, leaseMs }: { database: Database, leaseMs: number }): JobQueue {
  const leaseEnd = sql`now() + ${leaseMs} * interval '1 millisecond'`

  /** Prepared: it is asked whenever there may be a job, and to parse and plan it takes longer than to run it. */
  const claimFirst = prepareClaim()

  function prepareClaim () {
    const [kinds, limit, reach] = [sql`${sql.placeholder('kinds')}::text[]`, sql`${sql.placeholder('limit')}::int`, sql`${sql.placeholder('reach')}::int`]
    // Companies take turns, whoever has the least in hand first: one that comes with a thousand jobs keeps nobody waiting for all of them.
    // Of each only the first few are looked at (some may be locked by others who claim just now), so that a long queue costs no more than a short one.
    // In a CTE: as a plain subquery the planner may run it more than once, and claim more than the limit.
    const free = db.$with('free', { jobId: sql<string>`job_id`.as('job_id') }).as(sql`
      with recursive line as (
        (select company_id, kind from ${jobs} where state = 'waiting' order by company_id, kind limit 1)
        union all
        select next.company_id, next.kind from line, lateral (
          select company_id, kind from ${jobs} where state = 'waiting' and (company_id, kind) > (line.company_id, line.kind) order by company_id, kind limit 1
        ) as next
      ), held as (
        select company_id, count(*) as jobs from ${jobs} where state = 'running' and lease_expires_at >= now() group by company_id
      ), first as (
        select company_id, job_id, run_at from line, lateral (
          select job_id, run_at from ${jobs} as job where state = 'waiting' and job.company_id = line.company_id and job.kind = line.kind and run_at <= now() order by run_at, job_id limit ${reach}
        ) as waiting where line.kind = any(${kinds})
        union all select company_id, job_id, run_at from ${jobs} where state = 'running' and lease_expires_at < now() and kind = any(${kinds})
      ), place as (
        select job_id, coalesce(held.jobs, 0) + row_number() over (partition by company_id order by run_at, job_id) as turn from first left join held using (company_id)
        order by turn, run_at limit ${reach}
      )
      select job.job_id from place join ${jobs} as job using (job_id)
      where (state = 'waiting' and run_at <= now()) or (state = 'running' and lease_expires_at < now())
      order by turn, run_at limit ${limit} for update of job skip locked`)
    return db.with(free).update(jobs)
      .set({ state: 'running', progress: null, attempts: sql`${jobs.attempts} + 1`, leaseId: sql`gen_random_uuid()`, leaseExpiresAt: leaseEnd, updatedAt: sql`now()` })
      .where(inArray(jobs.jobId, db.select({ jobId: free.jobId }).from(free)))
      .returning()
      .prepare('claim-jobs')
  }

  async function claimOf (kinds: readonly JobKind[], limit: number): Promise<Job[]> {
    const claimed = await claimFirst.execute({ kinds, limit, reach: limit + OTHERS })
    return claimed.map(row => ({ ...row, leaseId: row.leaseId as string }))
  }

  return {
    async claim (limit, most = {}) {
      let claimed = await claimOf(otherKinds, limit)
      for (const kind of patientKinds) {
        const room = Math.min(most[kind] ?? limit, limit)
        if (claimed.length === 0 && room > 0) claimed = await claimOf([kind], room)
      }
      return claimed
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
    async noteProgress (job, progress) {
      await db.update(jobs).set({ progress }).where(isOurs(job))
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

/** Where there is nothing left to do; another worker who has it will see that, too. */
export async function dropJob (executor: Executor, job: Job): Promise<void> {
  await executor.delete(jobs).where(isOurs(job))
}

/** To begin anew, unless another worker has it; the attempt does not count. */
export async function requeueJob (executor: Executor, job: Job): Promise<void> {
  await executor.update(jobs).set({ ...noLease, state: 'waiting', attempts: sql`${jobs.attempts} - 1` }).where(isOurs(job))
}

/** Kept for somebody to look at. */
export async function parkJob (executor: Executor, job: Job, reason: string): Promise<void> {
  const parked = await executor.update(jobs).set({ ...noLease, state: 'parked', lastError: reason }).where(isOurs(job)).returning({ jobId: jobs.jobId })
  if (parked.length === 0) throw new LeaseLost()
}

export const newJobRow = ({ kind, item = '', payload = {}, delayMs = 0 }: NewJob, of: { recordingId: string, companyId: string, correlationId: string | null }): typeof jobs.$inferInsert =>
  ({ jobId: uuidv7(), kind, item, state: 'waiting', payload, ...of, ...(delayMs > 0 && { runAt: sql`now() + ${delayMs} * interval '1 millisecond'` as unknown as Date }) })
