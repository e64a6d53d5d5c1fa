import { randomUUID } from 'node:crypto'
import { test } from 'tap'
import type { AuditEntry } from '@tacet/contracts'
import type { Asker } from '../../src/domain/asker.ts'
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
