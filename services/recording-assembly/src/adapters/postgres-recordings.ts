import { and, arrayContains, desc, eq, sql, type SQL } from 'drizzle-orm'
import { appendToOutbox, type Database, type Transaction } from '@tacet/service-kit'
import { topics, type AssemblyEventData, type AssemblyEventType, type TrackFile } from '@tacet/contracts'
import { v7 as uuidv7 } from 'uuid'
import { jobs, outbox, recordings } from '../db/schema.ts'
import type { Scope } from '../domain/access.ts'
import { agentIdsOf, linksOf, type Recording } from '../domain/recording.ts'
import type { AssembledRecording, Job, Recordings } from '../usecases/ports.ts'
import { endJob, parkJob } from './postgres-jobs.ts'

export interface PostgresRecordingsOptions {
  database: Database
  now: () => Date
  /** Events were committed. */
  onEvents: () => void
  /** A job that can run now was committed. */
  onJob: () => void
}

type Row = typeof recordings.$inferSelect

export function createPostgresRecordings ({ database: { db }, now, onEvents, onJob }: PostgresRecordingsOptions): Recordings {
  async function announce<Type extends AssemblyEventType> (tx: Transaction, { manifest }: Pick<Row, 'manifest'>, type: Type, data: Omit<AssemblyEventData<Type>, 'recordingId' | 'callId' | 'companyId' | 'at'>): Promise<void> {
    const { recordingId, callId, companyId } = manifest
    await appendToOutbox(tx, outbox, [{ topic: topics.recordings, type, subject: recordingId, data: { recordingId, callId, companyId, at: now().toISOString(), ...data } }])
  }

  async function setOutcome (tx: Transaction, recordingId: string, values: Partial<Row>): Promise<Row> {
    const [row] = await tx.update(recordings).set({ ...values, updatedAt: sql`now()` }).where(eq(recordings.recordingId, recordingId)).returning()
    if (row === undefined) throw new Error(`recording ${recordingId} is gone`)
    return row
  }

  async function addDeletion (tx: Transaction, { recordingId, correlationId }: Job, files: TrackFile[]): Promise<void> {
    if (files.length === 0) return
    await tx.insert(jobs).values({ jobId: uuidv7(), kind: 'delete-segments', recordingId, state: 'waiting', payload: { files }, correlationId })
  }

  return {
    async add (tx, manifest, correlationId) {
      const { recordingId, companyId, startedAt } = manifest
      const added = await tx.insert(recordings)
        .values({ recordingId, companyId, agentIds: agentIdsOf(manifest), startedAt: new Date(startedAt), manifest, status: 'waiting', reasons: [] })
        .onConflictDoNothing().returning({ recordingId: recordings.recordingId })
      if (added.length === 0) return false
      await tx.insert(jobs).values({ jobId: uuidv7(), kind: 'assemble', recordingId, state: 'waiting', payload: {}, correlationId })
      return true
    },

    async begin ({ recordingId }) {
      return await db.transaction(async tx => {
        const [row] = await tx.select().from(recordings).where(eq(recordings.recordingId, recordingId)).for('update')
        if (row === undefined) return null
        if (row.status !== 'waiting') return row
        const begun = await setOutcome(tx, recordingId, { status: 'assembling' })
        await announce(tx, row, 'recording.assembling', { segments: row.manifest.segments.length })
        return begun
      })
    },

    async complete (job, { verdict: { outcome, reasons }, timeline, expendable }: AssembledRecording) {
      const { durationMs, samples, sha256, bytes, gaps } = timeline
      await db.transaction(async tx => {
        await endJob(tx, job)
        const row = await setOutcome(tx, job.recordingId, { status: outcome, reasons, durationMs, samples, bytes, sha256 })
        await addDeletion(tx, job, expendable)
        const { recording, audio, timeline } = linksOf(row)
        await announce(tx, row, 'recording.assembled', {
          outcome, reasons, durationMs, samples, sha256, gaps: gaps.length, links: { recording, audio, timeline: timeline ?? recording },
        })
      })
      onEvents()
      onJob()
    },

    async fail (job, code, detail) {
      await db.transaction(async tx => {
        await parkJob(tx, job, `${code}: ${detail}`)
        if (job.kind !== 'assemble') return
        const row = await setOutcome(tx, job.recordingId, { status: 'failed', reasons: [{ code, detail }] })
        await announce(tx, row, 'recording.failed', { code, detail })
      })
      onEvents()
    },

    finish: job => endJob(db, job),

    async find (recordingId, scope) {
      const [row] = await db.select().from(recordings).where(and(eq(recordings.recordingId, recordingId), visibleTo(scope)))
      return row ?? null
    },

    async list (scope, limit): Promise<Recording[]> {
      return await db.select().from(recordings).where(visibleTo(scope)).orderBy(desc(recordings.startedAt), recordings.recordingId).limit(limit)
    },
  }
}

function visibleTo (scope: Scope): SQL | undefined {
  switch (scope.kind) {
    case 'all': return undefined
    case 'company': return eq(recordings.companyId, scope.companyId)
    case 'agent': return and(eq(recordings.companyId, scope.companyId), arrayContains(recordings.agentIds, [scope.agentId]))
    case 'none': return sql`false`
  }
}
