import { randomUUID } from 'node:crypto'
import { test } from 'tap'
import type { AuditEntry } from '@tacet/contracts'
import { entryOfEnd, type Asker } from '../../src/domain/asker.ts'
import type { Recording } from '../../src/domain/recording.ts'
import { createManageRecording } from '../../src/usecases/manage-recording.ts'
import type { RecordingStore, Recordings } from '../../src/usecases/ports.ts'
import { manifestOf } from '../helpers/manifest.ts'

const manifest = manifestOf([])
const admin = (): Asker => ({ companyId: manifest.companyId, credentialId: randomUUID(), agentId: null, roles: ['admin'], address: null })

/** A recording that is there, with the orders that were given of it. */
function recorded () {
  const entries: AuditEntry[] = []
  let row = { recordingId: manifest.recordingId, manifest, status: 'complete', generation: 1, storedGeneration: 1, version: 1, hold: null, purge: null, deletedAt: null, deletion: null } as unknown as Recording
  const recordings = {
    async change (_recordingId, _scope, decide) {
      const { set, audit = [] } = decide(row)
      entries.push(...audit)
      row = { ...row, ...set }
      return row
    },
  } as Partial<Recordings> as Recordings
  const append = async (entry: AuditEntry) => { entries.push(entry) }
  let seconds = 0
  const moment = () => ({ at: `2026-01-05T09:00:0${seconds++}.000Z`, auditId: randomUUID() })
  return { entries, current: () => row, manage: createManageRecording({ recordings, store: {} as RecordingStore, audit: { append }, newId: randomUUID, moment }) }
}

test('a recording that is on hold takes no second hold, and keeps who ordered the first, when and why', async t => {
  const { entries, current, manage } = recorded()
  const [first, second] = [admin(), admin()]
  await manage.hold(manifest.recordingId, first, 'a claim')
  const { hold } = current()
  t.match(hold, { reason: 'a claim', credentialId: first.credentialId })
  for (const [asker, reason] of [[first, 'another claim'], [second, 'a claim']] as const) {
    await t.rejects(manage.hold(manifest.recordingId, asker, reason), { code: 'already-on-hold', message: 'on hold since 2026-01-05T09:00:00.000Z: a claim' })
  }
  t.equal(current().hold, hold)
  t.match(entries, [{ outcome: 'done' }, { outcome: 'refused', code: 'already-on-hold', detail: { reason: 'another claim' } }, { outcome: 'refused', actor: { credentialId: second.credentialId } }])
})

test('the same hold once more changes nothing; after the lift another may follow', async t => {
  const { entries, current, manage } = recorded()
  const asker = admin()
  const { hold } = await manage.hold(manifest.recordingId, asker, 'a claim')
  t.equal((await manage.hold(manifest.recordingId, asker, 'a claim')).hold, hold)
  t.equal(entries.length, 1)
  await manage.lift(manifest.recordingId, asker, 'there are two')
  await manage.hold(manifest.recordingId, asker, 'a claim, and another')
  t.match(current().hold, { reason: 'a claim, and another' })
})

test('an order is done when it is carried out, and the audit log has both', async t => {
  const { entries, manage } = recorded()
  const asker = admin()
  await manage.hold(manifest.recordingId, asker, 'a claim')
  await manage.lift(manifest.recordingId, asker, 'settled')
  await manage.remove(manifest.recordingId, asker, { reason: 'asked to', cause: 'request' })
  t.match(entries, [
    { action: 'recording.hold', outcome: 'done', effectiveAt: '2026-01-05T09:00:00.000Z' },
    { action: 'recording.lift-hold', outcome: 'done', effectiveAt: '2026-01-05T09:00:01.000Z' },
    { action: 'recording.delete', outcome: 'done', requestedAt: '2026-01-05T09:00:02.000Z', effectiveAt: null, actor: { kind: 'admin' } },
  ])

  const [at, orderedAt] = ['2026-01-05T09:01:00.000Z', '2026-01-05T09:00:02.000Z']
  const ordered = { orderedAt, by: { credentialId: asker.credentialId, agentId: null } }
  const purged = { purgeId: randomUUID(), version: 2, durationMs: 1, samples: 8, sha256: 'a', links: { recording: '', audio: null, timeline: '' } }
  const endOf = (event: Parameters<typeof entryOfEnd>[1]) => entryOfEnd({ manifest }, event, { at, auditId: randomUUID() })
  const { callId, companyId } = manifest
  const detail = { recordingId: manifest.recordingId, orderedAt, orderedBy: ordered.by }
  const common = { callId, companyId, at, requestedAt: orderedAt, actor: { kind: 'machine', credentialId: null, agentId: null, address: null } }
  t.match(endOf({ type: 'recording.deleted', data: { cause: 'request', ...ordered } }), { ...common, action: 'recording.delete', outcome: 'done', code: null, effectiveAt: at, detail: { ...detail, cause: 'request' } })
  t.match(endOf({ type: 'recording.purged', data: { ...purged, ...ordered } }), { ...common, action: 'recording.purge', outcome: 'done', effectiveAt: at, detail: { ...detail, purgeId: purged.purgeId, version: 2, sha256: 'a' } })
  t.match(endOf({ type: 'recording.purge-failed', data: { purgeId: purged.purgeId, code: 'gave-up', detail: 'disk', ...ordered } }), { ...common, action: 'recording.purge', outcome: 'failed', code: 'gave-up', effectiveAt: null, detail: { ...detail, purgeId: purged.purgeId } })
  t.equal(endOf({ type: 'recording.assembling', data: { segments: 1 } }), null)
})
