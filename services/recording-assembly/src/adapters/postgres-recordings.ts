import { and, desc, eq, gte, inArray, isNotNull, isNull, lt, lte, ne, notExists, notInArray, or, sql } from 'drizzle-orm'
import { appendToOutbox, type Database, type OutboxMessage, type Transaction } from '@tacet/service-kit'
import { topics } from '@tacet/contracts'
import { accesses, copies, files, jobs, outbox, recordings } from '../db/schema.ts'
import { entryOfEnd } from '../domain/asker.ts'
import { madeOfMaster } from '../domain/formats.ts'
import { eraseUpTo } from '../domain/jobs.ts'
import { aboutNobody, agentIdsOf, linksInEvent, retainUntilOf, type RecordingEvent, type RecordingStatus } from '../domain/recording.ts'
import type { AssembledRecording, Job, Recordings } from '../usecases/ports.ts'
import { LeaseLost } from '../usecases/errors.ts'
import { auditMessage } from './audit.ts'
import { createJobInserts } from './postgres-job-inserts.ts'
import { endJob, parkJob } from './postgres-jobs.ts'
import { cursorOf, matching, visibleTo } from './search.ts'
import { v7 as uuidv7 } from 'uuid'

export interface PostgresRecordingsOptions {
  database: Database
  now: () => Date
  /** Events were committed. */
  onEvents: () => void
  /** A job that can run now was committed. */
  onJob: () => void
  /** For stores in which an attempt that has lost its lease may still leave a file: when it surely no longer does. */
  lateErasureMs: number | null
  measureAfterMs: number
  /** Where others reach this service. */
  publicUrl?: string | undefined
}

/** Playing, seeking and playing again within this time is one entry in the audit log. */
const SITTING_MS = 30 * 60_000

const unfinished: RecordingStatus[] = ['waiting', 'assembling']
const isLive = and(eq(jobs.state, 'running'), gte(jobs.leaseExpiresAt, sql`now()`))

type Row = typeof recordings.$inferSelect
type Values = Partial<Row>

export function createPostgresRecordings ({ database: { db }, now, onEvents, onJob, lateErasureMs, measureAfterMs, publicUrl }: PostgresRecordingsOptions): Recordings {
  const { addJobs, eraseBroken } = createJobInserts({ lateErasureMs })

  function messageOf ({ manifest: { recordingId, callId, companyId } }: Pick<Row, 'manifest'>, { type, data }: RecordingEvent): OutboxMessage {
    return { topic: topics.recordings, type, subject: recordingId, data: { recordingId, callId, companyId, at: now().toISOString(), ...data } }
  }

  /** Together with the entry in the audit log, where it is the end of what somebody ordered. */
  async function announce (tx: Transaction, row: Row, event: RecordingEvent): Promise<void> {
    const entry = entryOfEnd(row, event, { at: now().toISOString(), auditId: uuidv7() })
    await appendToOutbox(tx, outbox, [messageOf(row, event), ...entry === null ? [] : [auditMessage(entry)]])
  }

  async function update (tx: Transaction, recordingId: string, values: Values): Promise<Row> {
    const [row] = await tx.update(recordings).set({ ...values, updatedAt: sql`now()` }).where(eq(recordings.recordingId, recordingId)).returning()
    if (row === undefined) throw new Error(`recording ${recordingId} is gone`)
    return row
  }

  /** What an attempt has made counts only while nobody has decided otherwise. */
  async function lockedRow (tx: Transaction, recordingId: string): Promise<Row | undefined> {
    const [row] = await tx.select().from(recordings).where(eq(recordings.recordingId, recordingId)).for('update')
    return row
  }

  /**
   * The end of a job in the transaction of its effect. Of a recording that was deleted meanwhile only the job ends, so that its
   * erasure need not wait for the lease to run out.
   */
  async function endingTogether (job: Job, effect: (tx: Transaction, before: Row) => Promise<void>): Promise<void> {
    const isInVain = await db.transaction(async tx => {
      const before = await lockedRow(tx, job.recordingId)
      if (before === undefined) throw new LeaseLost()
      await endJob(tx, job)
      if (before.deletedAt !== null) return true
      await effect(tx, before)
      return false
    })
    if (isInVain) throw new LeaseLost()
  }

  return {
    async add (tx, manifest, correlationId) {
      const { recordingId, companyId, startedAt, direction, number, customer, gaps } = manifest
      const added = await tx.insert(recordings).values({
        recordingId,
        companyId,
        agentIds: agentIdsOf(manifest),
        startedAt: new Date(startedAt),
        direction,
        number,
        customer,
        gaps: gaps.length,
        manifest,
        status: 'waiting',
        reasons: [],
        retainUntil: retainUntilOf(manifest),
      }).onConflictDoNothing().returning({ recordingId: recordings.recordingId, companyId: recordings.companyId })
      if (added[0] === undefined) return false
      // What is not checked by now is looked at by the assembly.
      await tx.delete(jobs).where(and(eq(jobs.recordingId, recordingId), eq(jobs.kind, 'check'), ne(jobs.state, 'running')))
      await addJobs(tx, added[0], correlationId, [{ kind: 'assemble' }])
      return true
    },

    async begin ({ recordingId, correlationId }) {
      return await db.transaction(async tx => {
        const row = await lockedRow(tx, recordingId)
        if (row === undefined || row.deletedAt !== null) return null
        const isNew = row.status === 'waiting'
        if (!isNew && row.status !== 'assembling') return row
        const begun = await update(tx, recordingId, { status: 'assembling', generation: row.generation + 1 })
        await eraseBroken(tx, row, correlationId)
        if (isNew) await announce(tx, row, { type: 'recording.assembling', data: { segments: row.manifest.segments.length } })
        return begun
      })
    },

    async complete (job, { verdict: { outcome, reasons }, timeline, expendable }: AssembledRecording) {
      const { durationMs, samples, sha256, bytes, gaps } = timeline
      await endingTogether(job, async (tx, before) => {
        if (before.status !== 'assembling') throw new LeaseLost()
        await tx.delete(copies).where(eq(copies.recordingId, job.recordingId))
        const row = await update(tx, job.recordingId, { status: outcome, reasons, durationMs, samples, bytes, sha256, gaps: gaps.length, storedGeneration: before.generation, storedAt: now() })
        await addJobs(tx, row, job.correlationId, [
          ...expendable.length === 0 ? [] : [{ kind: 'delete-segments' as const, payload: { files: expendable } }],
          ...sha256 === null ? [] : madeOfMaster(row.manifest, measureAfterMs),
        ])
        await announce(tx, row, {
          type: 'recording.assembled',
          data: { outcome, reasons, durationMs, samples, sha256, gaps: gaps.length, links: linksInEvent(row, publicUrl) },
        })
      })
      onEvents()
      onJob()
    },

    async fail (job, code, detail) {
      await db.transaction(async tx => {
        const before = await lockedRow(tx, job.recordingId)
        await parkJob(tx, job, `${code}: ${detail}`)
        if (job.kind === 'purge' && before !== undefined && before.purge !== null) {
          const { purgeId, at, credentialId, agentId } = before.purge
          await announce(tx, before, { type: 'recording.purge-failed', data: { purgeId, orderedAt: at, by: { credentialId, agentId }, code, detail } })
        }
        if (job.kind !== 'assemble' || before?.status !== 'assembling') return
        const row = await update(tx, job.recordingId, { status: 'failed', reasons: [{ code, detail }] })
        await addJobs(tx, row, job.correlationId, [eraseUpTo(row.generation)])
        await announce(tx, row, { type: 'recording.failed', data: { code, detail } })
      })
      onEvents()
      onJob()
    },

    async finish (job, event) {
      await db.transaction(async tx => {
        const row = event === undefined ? undefined : await lockedRow(tx, job.recordingId)
        await endJob(tx, job)
        if (row !== undefined && event !== undefined) await announce(tx, row, event)
      })
      if (event !== undefined) onEvents()
    },

    async beginPurge ({ recordingId, correlationId }) {
      return await db.transaction(async tx => {
        const row = await lockedRow(tx, recordingId)
        if (row === undefined || row.deletedAt !== null || row.purge === null || row.hold !== null) return null
        await eraseBroken(tx, row, correlationId)
        return { ...await update(tx, recordingId, { generation: row.generation + 1 }), purge: row.purge }
      })
    },

    async completePurge (job, { durationMs, samples, bytes, sha256, gaps, version }, segmentFiles) {
      await endingTogether(job, async (tx, before) => {
        if (before.purge === null || before.hold !== null) throw new LeaseLost()
        const row = await update(tx, job.recordingId, {
          durationMs, samples, bytes: sha256 === null ? null : bytes, sha256, gaps: gaps.length, version, storedGeneration: before.generation, purge: null, sha512: null, storedAt: now(),
        })
        await tx.delete(files).where(eq(files.recordingId, job.recordingId))
        // What is still made of the old version would take itself for that of the new one.
        await tx.delete(jobs).where(and(eq(jobs.recordingId, job.recordingId), inArray(jobs.kind, ['measure', 'encode'])))
        const { purgeId, at, credentialId, agentId } = before.purge
        await addJobs(tx, row, job.correlationId, [
          eraseUpTo(before.generation - 1, {
            files: segmentFiles,
            purged: { purgeId, version, orderedAt: at, by: { credentialId, agentId }, durationMs, samples, sha256, links: linksInEvent(row, publicUrl) },
          }),
          ...sha256 === null ? [] : madeOfMaster(row.manifest, measureAfterMs),
        ])
      })
      onJob()
    },

    async isWorkedOn (recordingId) {
      const isLeased = and(eq(jobs.recordingId, recordingId), ne(jobs.kind, 'erase'), isLive)
      return (await db.select({ jobId: jobs.jobId }).from(jobs).where(isLeased).limit(1)).length > 0
    },

    async atRest (recordingIds) {
      const leased = db.select({ jobId: jobs.jobId }).from(jobs).where(and(eq(jobs.recordingId, recordings.recordingId), isLive))
      const isOver = or(isNotNull(recordings.deletedAt), notInArray(recordings.status, unfinished))
      const rows = await db.select({ recordingId: recordings.recordingId }).from(recordings)
        .where(and(sql`${recordings.recordingId} = any(${sql.param(recordingIds)}::uuid[])`, isOver, notExists(leased)))
      return rows.map(({ recordingId }) => recordingId)
    },

    async erased (job, event) {
      const { recordingId } = job
      await db.transaction(async tx => {
        const before = await lockedRow(tx, recordingId)
        if (before === undefined) throw new LeaseLost()
        await endJob(tx, job)
        const row = await update(tx, recordingId, { number: null, customer: null, manifest: aboutNobody(before.manifest) })
        await tx.delete(files).where(eq(files.recordingId, recordingId))
        await tx.delete(accesses).where(eq(accesses.recordingId, recordingId))
        await tx.delete(copies).where(eq(copies.recordingId, recordingId))
        await tx.delete(jobs).where(and(eq(jobs.recordingId, recordingId), eq(jobs.state, 'parked')))
        await announce(tx, row, event)
      })
      onEvents()
    },

    async find (recordingId, scope) {
      const [row] = await db.select().from(recordings).where(and(eq(recordings.recordingId, recordingId), visibleTo(scope)))
      return row ?? null
    },

    async noteSha512 ({ recordingId, storedGeneration }, sha512) {
      await db.update(recordings).set({ sha512 }).where(and(eq(recordings.recordingId, recordingId), eq(recordings.storedGeneration, storedGeneration ?? 0)))
    },

    async list (scope, query) {
      const rows = await db.select().from(recordings).where(and(visibleTo(scope), matching(query)))
        .orderBy(desc(recordings.startedAt), desc(recordings.recordingId)).limit(query.limit + 1)
      const items = rows.slice(0, query.limit)
      const last = items.at(-1)
      return { items, nextCursor: rows.length > query.limit && last !== undefined ? cursorOf(last) : null }
    },

    async noteUsage (recording, { version, format, use, via, linkId }, { credentialId, agentId }, entry) {
      const { recordingId } = recording
      const sitting = [format, use, linkId ?? credentialId ?? 'operator', entry.actor.address].join(':')
      const isOver = sql`${accesses.begunAt} < now() - ${SITTING_MS} * interval '1 millisecond'`
      const isNoted = await db.transaction(async tx => {
        const begun = await tx.insert(accesses).values({ recordingId, version, sitting, begunAt: sql`now()` as unknown as Date })
          .onConflictDoUpdate({ target: [accesses.recordingId, accesses.version, accesses.sitting], set: { begunAt: sql`now()` }, setWhere: isOver }).returning({ sitting: accesses.sitting })
        if (begun.length === 0) return false
        await appendToOutbox(tx, outbox, [messageOf(recording, { type: 'recording.accessed', data: { version, format, use, via, by: { credentialId, agentId } } }), auditMessage(entry)])
        return true
      })
      if (isNoted) onEvents()
    },

    async forgetSittings () {
      await db.delete(accesses).where(lt(accesses.begunAt, sql`now() - interval '1 day'`))
    },

    async expired (now, limit) {
      const isDue = and(lte(recordings.retainUntil, now), isNull(recordings.deletedAt), isNull(recordings.hold), notInArray(recordings.status, unfinished))
      const rows = await db.select({ recordingId: recordings.recordingId }).from(recordings).where(isDue).orderBy(recordings.retainUntil).limit(limit)
      return rows.map(({ recordingId }) => recordingId)
    },

    async change (recordingId, scope, decide) {
      const changed = await db.transaction(async tx => {
        const [row] = await tx.select().from(recordings).where(and(eq(recordings.recordingId, recordingId), visibleTo(scope))).for('update')
        if (row === undefined) return null
        const { set = {}, endJobs, jobs: added = [], events = [], audit = [] } = decide(row)
        if (endJobs !== undefined) await tx.delete(jobs).where(and(eq(jobs.recordingId, row.recordingId), eq(jobs.kind, endJobs)))
        await addJobs(tx, row, null, added)
        await appendToOutbox(tx, outbox, [...events.map(event => messageOf(row, event)), ...audit.map(auditMessage)])
        return Object.keys(set).length === 0 ? row : await update(tx, recordingId, set)
      })
      onEvents()
      onJob()
      return changed
    },
  }
}
