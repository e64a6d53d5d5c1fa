import { test } from 'tap'
import { vconSchema, type Manifest, type Vcon } from '@tacet/contracts'
import { arrange } from '../../src/domain/arrangement.ts'
import { buildTimeline } from '../../src/domain/timeline.ts'
import { toVcon } from '../../src/domain/vcon.ts'
import { actor, at, manifestOf } from '../helpers/manifest.ts'

type RecordingDialog = Extract<Vcon['dialog'][number], { type: 'recording' }>

const colleague = '01990000-0000-7000-8000-000000001002'
const anna = { agentId: actor.agentId, name: 'Anna', endpoint: 'PJSIP/1001', joinedAt: at(0), leftAt: at(4_000) }
const ben = { agentId: colleague, name: 'Ben', endpoint: 'PJSIP/1002', joinedAt: at(3_000), leftAt: null }
const audio = { url: 'https://x.example/audio', sha512: 'the-hash' }

function vconOf (overrides: Partial<Manifest> = {}, { channels = 1, audio: named = audio, purges = [] as string[] }: { channels?: 1 | 2, audio?: typeof audio | null, purges?: string[] } = {}): Vcon {
  const manifest = manifestOf([], { endedAt: at(10_000), ...overrides })
  const timeline = buildTimeline(manifest, { outcome: 'complete', reasons: [] }, [], arrange(manifest, channels, []), null)
  return vconSchema.parse(toVcon({
    manifest,
    timeline: { ...timeline, version: 1 + purges.length, purges: purges.map(at => ({ purgeId: colleague, at, by: { credentialId: null, agentId: null }, samples: 1 })) },
    audio: named,
  }))
}
const recordingIn = ({ dialog }: Vcon): RecordingDialog => dialog.find(({ type }) => type === 'recording') as RecordingDialog

test('the call is a recording set from its first ring to its end, and its audio one recording of it', t => {
  const vcon = vconOf({ agents: [anna, ben] })
  t.match(vcon.dialog[0], { type: 'recording-set', start: at(-2_000), duration: 12, parties: [0, 1, 2], recordings: [1] })
  t.match(vcon.dialog[1], { type: 'recording', recording_set: 0, mediatype: 'audio/x-wav', url: audio.url, content_hash: 'sha512-the-hash' })
  for (const inSetOnly of ['party_history', 'recordings']) t.notOk(inSetOnly in vcon.dialog[1]!)
  for (const inRecordingOnly of ['url', 'content_hash', 'mediatype', 'recording_set']) t.notOk(inRecordingOnly in vcon.dialog[0]!)
  t.end()
})

test('a call of which nothing is left is a set without recordings', t => {
  t.match(vconOf({ agents: [anna] }, { audio: null }).dialog, [{ type: 'recording-set', recordings: [], party_history: [{ party: 1, event: 'join' }, { party: 1, event: 'drop' }] }])
  t.end()
})

test('a stereo recording says who is on each channel, also when that is nobody or several', t => {
  t.same(recordingIn(vconOf({ agents: [anna] })).parties, [0, 1], 'a mix: whoever is in it')
  t.same(recordingIn(vconOf({ agents: [anna] }, { channels: 2 })).parties, [0, 1])
  t.same(recordingIn(vconOf({ agents: [anna, ben] }, { channels: 2 })).parties, [0, [1, 2]])
  t.same(recordingIn(vconOf({ agents: [] }, { channels: 2 })).parties, [0, null])
  t.same(recordingIn(vconOf({ direction: 'internal', customer: null, number: null, agents: [anna, ben] }, { channels: 2 })).parties, [0, 1], 'of an internal call the caller first')
  t.end()
})

test('agents have their names, the company is their organisation, and somebody who comes back is one party', t => {
  const again = { ...anna, joinedAt: at(6_000), leftAt: null }
  const vcon = vconOf({ companyName: 'Acme', agents: [anna, ben, again] })
  t.same(vcon.parties, [
    { tel: 'tel:+420777000111', name: 'customer' },
    { name: 'Anna', uuid: actor.agentId, type: 'person', org: 'Acme' },
    { name: 'Ben', uuid: colleague, type: 'person', org: 'Acme' },
    { name: 'Tacet', type: 'organization' },
  ])
  t.match(vcon.dialog[0], { party_history: [{ party: 1, event: 'join' }, { party: 1, event: 'drop' }, { party: 2, event: 'join' }, { party: 1, time: at(6_000), event: 'join' }] })
  t.match(vconOf().parties, [{}, { name: 'agent' }, {}], 'names that nobody knew')
  t.same(['anonymous', null, '*21'].map(customer => vconOf({ customer }).parties[0]), [{ name: 'anonymous' }, { name: 'customer' }, { tel: 'tel:*21', name: 'customer' }])
  t.end()
})

test('who originated the call is told where it is not the first of the parties', t => {
  t.notOk('originator' in vconOf().dialog[0]!)
  for (const dialog of vconOf({ direction: 'outbound' }).dialog) t.match(dialog, { originator: 1 })
  t.notOk('originator' in vconOf({ direction: 'outbound', agents: [] }).dialog[0]!, 'nobody who could have')
  t.end()
})

test('a recording of which something was purged is redacted, and there is no vCon of what it was', t => {
  t.notOk('redacted' in vconOf())
  const vcon = vconOf({}, { purges: [at(20_000), at(30_000)] })
  t.match(vcon, { updated_at: at(30_000), redacted: { type: 'tacet-purge' }, subject: /version 3/ })
  t.same(Object.keys(vcon.redacted!), ['type'])
  const ids = [[], [at(1)], [at(1), at(2)]].map(purges => vconOf({ recordingId: actor.agentId }, { purges }).uuid)
  t.equal(new Set(ids).size, 3, 'each version is a vCon of its own')
  t.equal(ids[0], actor.agentId)
  t.equal(ids[1], vconOf({ recordingId: actor.agentId }, { purges: [at(3)] }).uuid, 'and the same whenever it is asked for')
  t.end()
})

test('the timeline is attached as JSON, by Tacet, to the call', t => {
  const { attachments, parties } = vconOf()
  t.match(attachments, [{ party: 2, dialog: 0, encoding: 'json', body: { schemaVersion: 1 } }])
  t.equal(parties[attachments[0]!.party]?.name, 'Tacet')
  t.end()
})
