import t from 'tap'
import { createProxy, eventually, readStack } from '@tacet/test-kit'
import { openOffice } from '../support/office.ts'
import { callEvents, checkAudio, proofOf, waitForEvent } from '../support/proof.ts'
import { nowMs, receiveCall, speak } from '../support/talk.ts'
import { startTacet } from '../support/tacet.ts'

t.setTimeout(180_000)
const ari = new URL(readStack().ari.url)
const wire = await createProxy(t, { host: ari.hostname, port: Number(ari.port) })
const tacet = await startTacet(t, { env: { ARI_URL: `http://127.0.0.1:${wire.port}` } })
const office = await openOffice(t, tacet)

async function alarms (): Promise<number> {
  const text = await (await fetch(`${tacet.services['call-control'].adminUrl}/metrics`)).text()
  return Number(/^tacet_recording_alarms_total\{[^}]*alarm="recording\.missing"[^}]*\} (\d+)/m.exec(text)?.[1] ?? 0)
}

t.test('a call without the recorder it should have raises an alarm within two seconds, and is recorded as soon as that can be', async t => {
  t.equal(await alarms(), 0)
  wire.swallow(/^POST \S+\/snoop/)
  const talk = await receiveCall(office)
  const missing = await waitForEvent(tacet, talk.callId, 'recording.missing')
  t.ok(await alarms() >= 1, 'the metric says so too')
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
  const { username, password } = tacet.stack.ari
  const goneAtMs = Date.now()
  talk.mute()
  await fetch(new URL(`/ari/channels/tacet-${talk.callId}-1`, ari), { method: 'DELETE', headers: { authorization: `Basic ${btoa(`${username}:${password}`)}` } })
  const missing = await waitForEvent(tacet, talk.callId, 'recording.missing')
  t.ok(Date.parse(missing.data.at) - goneAtMs < 2_000)
  t.match(await talk.status(), { state: 'paused', reasons: ['agent'], allowedActions: ['resume'] }, 'nobody knows why, so it stays silent until somebody says otherwise')
  await eventually(async () => await alarms() >= 2)
  await talk.resume()
  await speak(talk.voices, 300)
  await talk.hangup()
  await proofOf(t, tacet, talk, { outcomes: ['incomplete'] })
})
