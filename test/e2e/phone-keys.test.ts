import { randomBytes } from 'node:crypto'
import { eventually, type HttpRequest } from '@tacet/test-kit'
import t from 'tap'
import { openOffice } from '../support/office.ts'
import { checkAudio, checkStory, proofOf } from '../support/proof.ts'
import { nowMs, placeCall, receiveCall, speak, type Talk } from '../support/talk.ts'
import { startTacet } from '../support/tacet.ts'

t.setTimeout(180_000)
const tacet = await startTacet(t)
const office = await openOffice(t, tacet)
const [anna] = tacet.agents
const asJson = { headers: { accept: 'application/json' } }
const get = async (key: string, request: HttpRequest = {}) => await tacet.callControl(`/phone/v1/${anna.deviceToken}/${key}`, request)

/** Presses a key, and notes in the talk what it must have done. */
async function press (talk: Talk, key: string, request: HttpRequest = {}) {
  const requestedAtMs = nowMs()
  const answer = await get(key, request)
  for (const range of [talk.recorded.at(-1), talk.silent.at(-1)]) if (range?.toMs === Infinity) range.toMs = requestedAtMs
  const ranges = (await talk.status()).state === 'recording' ? talk.recorded : talk.silent
  ranges.push({ fromMs: nowMs(), toMs: Infinity })
  return answer
}

t.test('a phone that can only GET stops and starts the recording, and shows a sentence', async t => {
  const talk = await receiveCall(office)
  await talk.isRecorded()
  await speak(talk.voices, 300)
  const status = await get('status')
  t.match(status, { status: 200, body: 'Recording\n' })
  t.match(status.headers.get('content-type'), /^text\/plain/)
  t.match(await press(talk, 'pause'), { status: 200, body: 'Recording paused\n' })
  t.match(await get('status'), { body: 'Recording paused\n' })
  t.match(await get('status', asJson), { status: 200, body: { callId: talk.callId, state: 'paused', reasons: ['agent'], allowedActions: ['resume'] } })
  await speak(talk.voices, 300)
  t.match(await press(talk, 'resume'), { status: 200, body: 'Recording\n' })
  await speak(talk.voices, 300)
  t.match(await press(talk, 'pause', asJson), { status: 200, body: { callId: talk.callId, state: 'paused', durable: true } })
  await speak(talk.voices, 300)
  t.match(await press(talk, 'resume', asJson), { status: 200, body: { state: 'recording' } })
  await speak(talk.voices, 300)
  await talk.hangup(talk.agent)
  const proof = await proofOf(t, tacet, talk)
  t.match(proof.events.find(({ type }) => type === 'recording.paused')?.data.by, { kind: 'agent', agentId: anna.agentId })
  checkAudio(t, proof, talk)
})

t.test('one key toggles; pressed twice in haste it never lifts the pause it made', async t => {
  const talk = await receiveCall(office)
  await talk.isRecorded()
  await speak(talk.voices, 300)
  const firstPressMs = nowMs()
  t.match(await press(talk, 'toggle', asJson), { status: 200, body: { state: 'paused' } })
  const inHaste = await Promise.all(Array.from({ length: 4 }, async () => await get('toggle', asJson)))
  t.ok(nowMs() - firstPressMs < 2000, 'that was in haste')
  for (const answer of inHaste) t.match(answer, { status: 200, body: { state: 'paused' } })
  await speak(talk.voices, 2200)
  t.match(await press(talk, 'toggle', asJson), { status: 200, body: { state: 'recording' } })
  await speak(talk.voices, 300)
  await talk.hangup(talk.agent)
  const proof = await proofOf(t, tacet, talk)
  checkStory(t, proof.types, ['call.ringing', 'call.answered', 'call.agent-joined', 'segment.opened', 'recording.started', 'segment.closed', 'recording.paused',
    'segment.opened', 'recording.resumed', 'call.agent-left', 'call.ended', 'segment.closed', 'recording.ended'])
  checkAudio(t, proof, talk)
})

t.test('the SIP Call-ID says which of two calls is meant', async t => {
  const held = await receiveCall(office)
  await held.isRecorded()
  await speak(held.voices, 300)
  const active = await placeCall(office, { from: 0, to: '+447700900999' })
  await active.isRecorded()
  await speak(active.voices, 300)
  t.match((await get('pause')).problem(), { status: 409, code: 'ambiguous-call' })
  const paused = await get(`pause?callId=${encodeURIComponent(held.agent.call.sipCallId)}`, asJson)
  t.match(paused, { status: 200, body: { callId: held.callId, state: 'paused' } })
  await eventually(async () => (await active.status()).state === 'recording', { message: 'the other call is recorded on, from Anna\'s own leg' })
  t.match(await get(`status?callId=${encodeURIComponent(active.caller.call.sipCallId)}`, asJson), { status: 200, body: { callId: active.callId, state: 'recording' } })

  await held.agent.call.hold()
  await eventually(async () => (await tacet.callControl('/v1/calls', { token: anna.token })).body.items.some((call: { callId: string, isOnHold: boolean }) => call.callId === held.callId && call.isOnHold))
  t.match(await get('pause', asJson), { status: 200, body: { callId: active.callId, state: 'paused' } }, 'the one that is not on hold is meant')
  await Promise.all([held.hangup(), active.hangup()])
  await Promise.all([proofOf(t, tacet, held), proofOf(t, tacet, active)])
})

t.test('a key of a phone without a call, with another\'s token or without a good one does nothing', async t => {
  t.match((await get('pause')).problem(), { status: 404, code: 'no-live-call' })
  const wrong = await tacet.callControl(`/phone/v1/${randomBytes(24).toString('base64url')}/pause`)
  t.match(wrong.problem(), { status: 401, code: 'unauthenticated' })
  const apiToken = await tacet.callControl(`/phone/v1/${anna.token}/pause`)
  t.match(apiToken.problem(), { status: 401, code: 'unauthenticated' })
  const deviceToken = await tacet.callControl('/v1/calls', { token: anna.deviceToken })
  t.match(deviceToken.problem(), { status: 401, code: 'unauthenticated' })
  t.match((await get('explode')).problem(), { status: 400, code: 'invalid-request', errors: [{ field: 'key' }] })
})
