import { problem, type JobView } from '@tacet/contracts'
import { and, desc, eq, lt, sql, type SQL } from 'drizzle-orm'
import type { Database } from '@tacet/service-kit'
import { z } from 'zod'
import { jobs, recordings } from '../db/schema.ts'
import type { Scope } from '../domain/access.ts'
import type { JobDesk } from '../usecases/ports.ts'
import { appendAudit } from './audit.ts'

export interface JobDeskOptions { database: Database, onEvents: () => void, onJob: () => void }

export function createJobDesk ({ database: { db }, onEvents, onJob }: JobDeskOptions): JobDesk {
  return {
    async list (scope, { companyId, recordingId, state, kind, cursor, limit }) {
      const matching = and(
        within(scope),
        companyId === undefined ? undefined : eq(jobs.companyId, companyId),
        recordingId === undefined ? undefined : eq(jobs.recordingId, recordingId),
        state === undefined ? undefined : eq(jobs.state, state),
        kind === undefined ? undefined : eq(jobs.kind, kind),
        // Their ids tell their age.
        cursor === undefined ? undefined : lt(jobs.jobId, jobIdOf(cursor))
      )
      const rows = await db.select().from(jobs).where(matching).orderBy(desc(jobs.jobId)).limit(limit + 1)
      const items = rows.slice(0, limit)
      const last = items.at(-1)
      return { items: items.map(toView), nextCursor: rows.length > limit && last !== undefined ? Buffer.from(last.jobId).toString('base64url') : null }
    },

    async find (jobId, scope) {
      const [row] = await db.select().from(jobs).where(and(eq(jobs.jobId, jobId), within(scope)))
      return row === undefined ? null : toView(row)
    },

    async rerun (jobId, scope, decide) {
      const waiting = await db.transaction(async tx => {
        const [seen] = await tx.select({ recordingId: jobs.recordingId }).from(jobs).where(and(eq(jobs.jobId, jobId), within(scope)))
        if (seen === undefined) return null
        // The recording first, as everywhere.
        const [recording] = await tx.select().from(recordings).where(eq(recordings.recordingId, seen.recordingId)).for('update')
        const [job] = await tx.select().from(jobs).where(eq(jobs.jobId, jobId)).for('update')
        if (recording === undefined || job === undefined) return null
        await appendAudit(tx, [decide(toView(job), recording)])
        // Its outcome was that of the attempts before.
        if (job.kind === 'assemble') await tx.update(recordings).set({ status: 'waiting', reasons: [], updatedAt: sql`now()` }).where(and(eq(recordings.recordingId, job.recordingId), eq(recordings.status, 'failed')))
        const [row] = await tx.update(jobs).set({ state: 'waiting', attempts: 0, postponements: 0, runAt: sql`now()`, updatedAt: sql`now()` }).where(eq(jobs.jobId, jobId)).returning()
        return row === undefined ? null : toView(row)
      })
      if (waiting === null) return null
      onEvents()
      onJob()
      return waiting
    },
  }
}

function within (scope: Scope): SQL | undefined {
  switch (scope.kind) {
    case 'all': return undefined
    case 'company': return eq(jobs.companyId, scope.companyId)
    default: return sql`false`
  }
}

function jobIdOf (cursor: string): string {
  const jobId = z.guid().safeParse(Buffer.from(cursor, 'base64url').toString())
  if (jobId.success) return jobId.data
  const message = 'not a cursor of this list'
  throw problem('invalid-request', `cursor: ${message}`, { errors: [{ field: 'cursor', message }] })
}

const toView = ({ runAt, createdAt, jobId, kind, item, recordingId, companyId, state, attempts, postponements, progress, lastError }: typeof jobs.$inferSelect): JobView =>
  ({ jobId, kind, item, recordingId, companyId, state, attempts, postponements, progress, runAt: runAt.toISOString(), createdAt: createdAt.toISOString(), lastError })
