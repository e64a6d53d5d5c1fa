import { eq, sql } from 'drizzle-orm'
import { v7 as uuidv7 } from 'uuid'
import type { Transaction } from '@tacet/service-kit'
import { jobs, type recordings } from '../db/schema.ts'
import type { NewJob } from '../domain/jobs.ts'
import { newJobRow } from './postgres-jobs.ts'

type Row = typeof recordings.$inferSelect

/** New jobs of a recording, in the transaction of what makes them necessary. `lateErasureMs` as in the options of `createPostgresRecordings`. */
export function createJobInserts ({ lateErasureMs }: { lateErasureMs: number | null }) {
  async function addJobs (tx: Transaction, row: Pick<Row, 'recordingId' | 'companyId'>, correlationId: string | null, added: NewJob[]): Promise<void> {
    await insertJobs(tx, row, correlationId, added)
    for (const { kind, payload } of added) if (kind === 'erase') await eraseLate(tx, row, correlationId, payload?.upToGeneration ?? 0)
  }

  async function insertJobs (tx: Transaction, { recordingId, companyId }: Pick<Row, 'recordingId' | 'companyId'>, correlationId: string | null, added: NewJob[]): Promise<void> {
    if (added.length === 0) return
    await tx.insert(jobs).values(added.map(job => newJobRow(job, { recordingId, companyId, correlationId }))).onConflictDoNothing()
  }

  /** Once more when surely nobody who has lost his lease, or was killed, still leaves anything there. One job waits for that, however often it is asked for. */
  async function eraseLate (tx: Transaction, row: Pick<Row, 'recordingId' | 'companyId'>, correlationId: string | null, upToGeneration: number): Promise<void> {
    if (lateErasureMs === null) return
    const { recordingId, companyId } = row
    const late = { kind: 'erase', item: 'late', payload: { upToGeneration }, delayMs: lateErasureMs } satisfies NewJob
    const highest = sql`greatest((${jobs.payload} ->> 'upToGeneration')::int, ${upToGeneration}::int)`
    const waiting = await tx.insert(jobs).values(newJobRow(late, { recordingId, companyId, correlationId })).onConflictDoUpdate({
      target: [jobs.recordingId, jobs.kind, jobs.item],
      set: { runAt: sql`excluded.run_at`, payload: sql`jsonb_build_object('upToGeneration', ${highest})`, updatedAt: sql`now()` },
      setWhere: eq(jobs.state, 'waiting'),
    }).returning({ jobId: jobs.jobId })
    // One that is at work may come too early for what this one is about.
    if (waiting.length === 0) await insertJobs(tx, row, correlationId, [{ ...late, item: `late-${uuidv7()}` }])
  }

  /** The attempt before this one did not come to its end. */
  async function eraseBroken (tx: Transaction, row: Row, correlationId: string | null): Promise<void> {
    if (row.generation !== (row.storedGeneration ?? 0)) await eraseLate(tx, row, correlationId, row.generation)
  }

  return { addJobs, eraseBroken }
}
