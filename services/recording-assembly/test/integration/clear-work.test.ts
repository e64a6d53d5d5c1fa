import { randomUUID } from 'node:crypto'
import { test } from 'tap'
import { eq, sql } from 'drizzle-orm'
import type { JobKind } from '@tacet/contracts'
import { createPorts } from '../../src/assembly.ts'
import { jobs, recordings } from '../../src/db/schema.ts'
import type { RecordingStatus } from '../../src/domain/recording.ts'
import { manifestOf } from '../helpers/manifest.ts'
import { surroundings } from '../helpers/service.ts'

test('a recording is at rest when it is done or deleted and nobody has a lease on it', async t => {
  const { config, database } = await surroundings(t)
  const { db } = database
  const ports = createPorts({ config, database, onEvents: () => {}, onJob: () => {} })

  async function add (status: RecordingStatus, { isDeleted = false, job = null as { kind: JobKind, leaseMs: number } | null } = {}): Promise<string> {
    const manifest = manifestOf([{ fromMs: 0, toMs: 2_000 }])
    const { recordingId } = manifest
    await db.transaction(tx => ports.recordings.add(tx, manifest, null))
    await db.update(recordings).set({ status, deletedAt: isDeleted ? new Date() : null }).where(eq(recordings.recordingId, recordingId))
    if (job === null) await db.delete(jobs).where(eq(jobs.recordingId, recordingId))
    else await db.update(jobs).set({ kind: job.kind, state: 'running', leaseId: randomUUID(), leaseExpiresAt: sql`now() + ${job.leaseMs} * interval '1 millisecond'` as unknown as Date }).where(eq(jobs.recordingId, recordingId))
    return recordingId
  }
  const atRest = [
    await add('complete'), await add('incomplete'), await add('empty'), await add('failed'), await add('waiting', { isDeleted: true }),
    await add('complete', { job: { kind: 'encode', leaseMs: -1_000 } }),
  ]
  const others = [
    await add('waiting'), await add('assembling'), randomUUID(),
    await add('complete', { job: { kind: 'encode', leaseMs: 60_000 } }), await add('assembling', { isDeleted: true, job: { kind: 'assemble', leaseMs: 60_000 } }),
  ]
  t.same((await ports.recordings.atRest([...others, ...atRest])).sort(), atRest.sort())
  t.same(await ports.recordings.atRest(others), [])
})
