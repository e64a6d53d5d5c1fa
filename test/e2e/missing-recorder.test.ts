import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { createProxy, eventually, readStack } from '@tacet/test-kit'
import { openOffice } from '../support/office.ts'
import { callEvents, checkAudio, proofOf, segmentFiles, waitForEvent } from '../support/proof.ts'
import { nowMs, receiveCall, speak } from '../support/talk.ts'
import { startTacet } from '../support/tacet.ts'

t.setTimeout(180_000)
const ari = new URL(readStack().ari.url)
const wire = await createProxy(t, { host: ari.hostname, port: Number(ari.port) })
const tacet = await startTacet(t, { env: { ARI_URL: `http://127.0.0.1:${wire.port}` } })
const office = await openOffice(t, tacet)

async function metric (name: string, alarm: string): Promise<number> {
  const text = await (await fetch(`${tacet.services['call-control'].adminUrl}/metrics`)).text()
  return Number(new RegExp(`^${name}\\{[^}]*alarm="${alarm}"[^}]*\\} (\\d+)`, 'm').exec(text)?.[1] ?? 0)
}

const alarms = async (): Promise<number> => await metric('tacet_recording_alarms_total', 'recording\\.missing')

async function takeAway (recorderId: string): Promise<void> {
  const { username, password } = tacet.stack.ari
  await fetch(new URL(`/ari/channels/${recorderId}`, ari), { method: 'DELETE', headers: { authorization: `Basic ${btoa(`${username}:${password}`)}` } })
}

t.test('a call without the recorder it should have raises an alarm within two seconds, and is recorded as soon as that can be', async t => {
  t.equal(await alarms(), 0)
  wire.swallow(/^POST \S+\/snoop/)
  const talk = await receiveCall(office)
  const missing = await waitForEvent(tacet, talk.callId, 'recording.missing')
  await eventually(async () => await alarms() >= 1, { message: 'the metric does not say so' })
  const answered = callEvents(tacet, talk.callId).find(({ type }) => type === 'call.answered')
  const lateMs = Date.parse(missing.data.at) - Date.parse(answered?.data.at)
  t.ok(lateMs < 2_000, `told ${lateMs} ms after the answer`)
  t.match(missing.data, { state: 'starting', detail: /no recorder/ })

  wire.swallow(undefined)
  const healedAtMs = nowMs()
  await talk.isRecorded()
  await speak(talk.voices, 400)
  await talk.hangup()
  const proof = await proofOf(t, tacet, talk, { outcomes: ['incomplete'] })
  t.match(proof.timeline.gaps, [{ reasons: ['lost'], atSample: 0 }])
  t.ok(Date.parse(proof.timeline.gaps[0]!.endedAt) > healedAtMs, 'what is missing is in the timeline')
  checkAudio(t, proof, talk)
})

t.test('a recorder that is taken away in the middle of a call is missed as soon', async t => {
  const talk = await receiveCall(office)
  await talk.isRecorded()
  await speak(talk.voices, 300)
  const goneAtMs = Date.now()
  talk.mute()
  await takeAway(`tacet-${talk.callId}-1`)
  const missing = await waitForEvent(tacet, talk.callId, 'recording.missing')
  t.ok(Date.parse(missing.data.at) - goneAtMs < 2_000)
  t.match(await talk.status(), { state: 'paused', reasons: ['agent'], allowedActions: ['resume'] }, 'nobody knows why, so it stays silent until somebody says otherwise')
  await eventually(async () => await alarms() >= 2)
  await talk.resume()
  await speak(talk.voices, 300)
  await talk.hangup()
  await proofOf(t, tacet, talk, { outcomes: ['incomplete'] })
})

t.test('when one track of a stereo recording is taken away, the other is not written on either', async t => {
  await tacet.putCompany({ recordingChannels: 'stereo' })
  const talk = await receiveCall(office)
  await talk.isRecorded()
  await speak(talk.voices, 300)
  await takeAway(`tacet-${talk.callId}-1-in`)
  await eventually(async () => (await talk.status()).state === 'paused')
  await talk.pause()
  const sizes = async () => await Promise.all((await segmentFiles(tacet, talk.callId)).map(async file => (await stat(join(tacet.stack.spoolDir ?? '', 'tacet', file))).size))
  const before = await sizes()
  t.equal(before.length, 2)
  await speak(talk.voices, 1000)
  t.same(await sizes(), before, 'no file grows while it is paused')
  await talk.resume()
  await speak(talk.voices, 300)
  await talk.hangup()
  const { manifest } = await proofOf(t, tacet, talk, { outcomes: ['incomplete'] })
  t.match(manifest, { faults: ['recorder-lost'], segments: [{ number: 1, closedBy: 'lost' }, { number: 2, closedBy: 'end' }] })
})

t.test('an Asterisk that is away for longer than a moment is one alarm, until it is back', async t => {
  await wire.cut()
  await eventually(async () => await metric('tacet_alarm_active', 'ari-away') === 1)
  await wire.mend()
  await eventually(async () => await metric('tacet_alarm_active', 'ari-away') === 0)
  t.equal(await metric('tacet_alarms_total', 'ari-away'), 1)
})
