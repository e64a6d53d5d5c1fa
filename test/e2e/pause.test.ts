import t from 'tap'
import { openOffice } from '../support/office.ts'
import { checkAudio, checkStory, proofOf, segmentFiles } from '../support/proof.ts'
import { receiveCall, speak } from '../support/talk.ts'
import { startTacet } from '../support/tacet.ts'

t.setTimeout(180_000)
const tacet = await startTacet(t)
const office = await openOffice(t, tacet)
const opening = ['call.ringing', 'call.answered', 'call.agent-joined', 'segment.opened', 'recording.started']
const pausing = ['segment.closed', 'recording.paused']
const resuming = ['segment.opened', 'recording.resumed']

for (const who of ['customer', 'agent'] as const) {
  t.test(`what is said while the recording is paused is nowhere, everything else is there; the ${who} hangs up`, async t => {
    const talk = await receiveCall(office)
    await talk.isRecorded()
    t.match(await talk.status(), { state: 'recording', reasons: [], allowedActions: ['pause'], segments: [{ number: 1, closedAt: null }] })
    await speak(talk.voices, 600)
    const paused = await talk.pause({ body: { note: 'card number' } })
    t.match(paused.body, { callId: talk.callId, state: 'paused', reasons: ['agent'], durable: true, allowedActions: ['resume'] })
    t.match(await talk.status(), { state: 'paused', reasons: ['agent'], seq: paused.body.seq, allowedActions: ['resume'] })
    await speak(talk.voices, 600)
    const resumed = await talk.resume()
    t.match(resumed.body, { state: 'recording', reasons: [], durable: true, allowedActions: ['pause'] })
    await speak(talk.voices, 600)
    await talk.hangup(talk[who])

    const proof = await proofOf(t, tacet, talk)
    checkStory(t, proof.types, [...opening, ...pausing, ...resuming, 'call.agent-left', 'call.ended', 'segment.closed', 'recording.ended'])
    const find = (type: string) => proof.events.find(event => event.type === type)?.data
    t.match(find('recording.paused'), { seq: paused.body.seq, at: paused.body.effectiveAt, state: 'paused', reasons: ['agent'], by: { kind: 'agent', agentId: tacet.agents[0].agentId } })
    t.match(find('recording.resumed'), { seq: resumed.body.seq, at: resumed.body.effectiveAt, state: 'recording', reasons: [], segment: 2 })
    t.match(proof.timeline, { endReason: 'hangup', direction: 'inbound', number: '+442071838750', customer: '+447700900123', segments: [{ number: 1, closedBy: 'pause' }, { number: 2, closedBy: 'end' }] })
    t.match(proof.timeline.gaps, [{
      startedAt: paused.body.effectiveAt,
      endedAt: resumed.body.effectiveAt,
      reasons: ['agent'],
      by: [{ kind: 'agent', agentId: tacet.agents[0].agentId }],
      atSample: proof.timeline.segments[0]?.samples,
    }])
    checkAudio(t, proof, talk)
  })
}

t.test('a recording is paused again and again', async t => {
  const talk = await receiveCall(office)
  await talk.isRecorded()
  for (let round = 0; round < 3; round++) {
    await speak(talk.voices, 400)
    await talk.pause()
    await speak(talk.voices, 300)
    await talk.resume()
  }
  await speak(talk.voices, 400)
  await talk.hangup()
  const proof = await proofOf(t, tacet, talk)
  checkStory(t, proof.types, [...opening, ...Array(3).fill([...pausing, ...resuming]).flat(), 'call.agent-left', 'call.ended', 'segment.closed', 'recording.ended'])
  t.same(proof.timeline.segments.map(({ number }) => number), [1, 2, 3, 4])
  t.equal(proof.timeline.gaps.length, 3)
  checkAudio(t, proof, talk)
})

t.test('a call that ends while it is paused has nothing recorded after the pause', async t => {
  const talk = await receiveCall(office)
  await talk.isRecorded()
  await speak(talk.voices, 600)
  const paused = await talk.pause()
  await speak(talk.voices, 600)
  t.same(await segmentFiles(tacet, talk.callId), [`tacet-${talk.callId}-1.wav`])
  await talk.hangup()
  const proof = await proofOf(t, tacet, talk)
  checkStory(t, proof.types, [...opening, ...pausing, 'call.agent-left', 'call.ended', 'recording.ended'])
  t.equal(proof.timeline.segments.length, 1)
  t.match(proof.timeline.gaps, [{ startedAt: paused.body.effectiveAt, endedAt: proof.timeline.endedAt, reasons: ['agent'], atSample: proof.timeline.samples }])
  checkAudio(t, proof, talk)
})

t.test('a command repeated under its Idempotency-Key is answered as before, and does nothing', async t => {
  const talk = await receiveCall(office)
  await talk.isRecorded()
  await speak(talk.voices, 400)
  const headers = { 'idempotency-key': 'once' }
  const paused = await talk.pause({ headers })
  await speak(talk.voices, 300)
  await talk.resume()
  const repeated = await tacet.callControl(`/v1/calls/${talk.callId}/recording/pause`, { method: 'POST', token: tacet.agents[0].token, headers })
  t.equal(repeated.status, 200)
  t.same(repeated.body, paused.body)
  t.equal((await talk.status()).state, 'recording')
  const reused = await tacet.callControl(`/v1/calls/${talk.callId}/recording/resume`, { method: 'POST', token: tacet.agents[0].token, headers })
  t.match(reused.problem(), { status: 422, code: 'idempotency-key-reused' })
  await speak(talk.voices, 400)
  await talk.hangup()
  const proof = await proofOf(t, tacet, talk)
  t.equal(proof.types.filter(type => type === 'recording.paused').length, 1)
  checkAudio(t, proof, talk)
})
