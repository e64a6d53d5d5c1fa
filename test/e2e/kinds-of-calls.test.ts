import { eventually } from '@tacet/test-kit'
import t from 'tap'
import { customerNumber, numbers, openOffice } from '../support/office.ts'
import { auditTrail, callEvents, checkAudio, checkStory, checkUnrecorded, proofOf } from '../support/proof.ts'
import { createTalk, findLive, newSignal, pauseOnce, placeCall, receiveCall, speak, voiceOf } from '../support/talk.ts'
import { startTacet } from '../support/tacet.ts'

t.setTimeout(180_000)
const tacet = await startTacet(t)
const office = await openOffice(t, tacet)
const [anna, ben] = tacet.agents
const pausedOnce = ['segment.opened', 'recording.started', 'segment.closed', 'recording.paused', 'segment.opened', 'recording.resumed', 'segment.closed', 'recording.ended']

t.test('an outbound call is recorded under the number it presents', async t => {
  const talk = await placeCall(office, { from: 0, to: '+447700900999' })
  await pauseOnce(talk)
  await talk.hangup(talk.callee)
  const proof = await proofOf(t, tacet, talk)
  checkStory(t, proof.types, ['call.ringing', 'call.answered', 'call.agent-joined', ...pausedOnce, 'call.agent-left', 'call.ended'])
  t.match(proof.timeline, { direction: 'outbound', number: numbers.direct, customer: '+447700900999', agents: [{ agentId: anna.agentId }] })
  checkAudio(t, proof, talk)
})

t.test('an outbound call obeys the outbound rule, of the number it presents too', async t => {
  await tacet.putNumber(numbers.direct, { recording: { inbound: 'inherit', outbound: 'off', internal: 'inherit' } })
  const talk = await placeCall(office, { from: 0, to: '+447700900999' })
  t.match(await talk.status(), { state: 'off', recordingRule: { value: 'off', decidedBy: 'number' } })
  await talk.hangup()
  await tacet.putNumber(numbers.direct, {})
  await checkUnrecorded(t, tacet, talk)
})

t.test('an internal call is recorded when both agents are to be', async t => {
  const talk = await placeCall(office, { from: 0, to: ben.extension, desk: 1 })
  await pauseOnce(talk)
  const bensPause = await talk.pause({ token: ben.token })
  t.match(bensPause.body, { state: 'paused', reasons: ['agent'] })
  await speak(talk.voices, 300)
  t.match((await talk.resume()).body, { state: 'recording' }, 'either agent may lift it')
  await speak(talk.voices, 400)
  await talk.hangup()
  const proof = await proofOf(t, tacet, talk)
  t.match(proof.timeline, { direction: 'internal', number: null, customer: null })
  t.same(new Set(proof.timeline.agents.map(({ agentId }) => agentId)), new Set([anna.agentId, ben.agentId]))
  checkAudio(t, proof, talk)
})

t.test('an internal call is not recorded when one of the agents is not to be', async t => {
  await tacet.putAgent(1, { recording: { inbound: 'inherit', outbound: 'inherit', internal: 'off' } })
  const talk = await placeCall(office, { from: 0, to: ben.extension, desk: 1 })
  await speak(talk.voices, 300)
  t.equal((await talk.status()).state, 'off')
  await talk.hangup()
  await tacet.putAgent(1, {})
  await checkUnrecorded(t, tacet, talk)
})

t.test('on an internal call one who may not stop the recording means that neither may, and nobody learns who', async t => {
  await tacet.putAgent(1, { agentInitiatedPause: 'deny' })
  const talk = await placeCall(office, { from: 0, to: ben.extension, desk: 1 })
  await talk.isRecorded()
  const refusals = await Promise.all([anna, ben].map(async ({ token }) => (await talk.send('pause', { token })).problem()))
  for (const refusal of refusals) {
    t.match(refusal, { status: 403, code: 'internal-peer-denied' })
    t.notOk('decidedBy' in refusal)
  }
  await speak(talk.voices, 400)
  await talk.hangup()
  const proof = await proofOf(t, tacet, talk)
  t.equal(proof.timeline.segments.length, 1)
  checkAudio(t, proof, talk)

  const chain = [{ level: 'agent', value: 'deny' }, { level: 'company', value: 'allow' }]
  const audit = await auditTrail(tacet, talk.callId, 2)
  t.match(audit.find(({ actor }) => actor.agentId === anna.agentId), { outcome: 'refused', code: 'internal-peer-denied', detail: { rule: { decision: { value: 'allow' }, peerDecision: { value: 'deny', decidedBy: 'agent', chain } } } })
  t.match(audit.find(({ actor }) => actor.agentId === ben.agentId), { outcome: 'refused', code: 'internal-peer-denied', detail: { rule: { decision: { value: 'deny', decidedBy: 'agent', chain } } } })
  const explain = async (token: string) => await tacet.settings(`/v1/policy/explain?agent=${anna.agentId}&peerAgent=${ben.agentId}&direction=internal`, { token })
  t.match((await explain(tacet.supervisorToken)).body, { effective: { mayPause: false }, agentInitiatedPause: { value: 'allow' }, peer: { agentInitiatedPause: { value: 'deny', decidedBy: 'agent', chain } } })
  t.match((await explain(anna.token)).problem(), { status: 403, code: 'forbidden' })
  await tacet.putAgent(1, {})
})

t.test('a caller in the menu or the queue is not recorded before an agent answers', async t => {
  const [customerSignal, agentSignal] = [newSignal('customer'), newSignal('agent1')]
  const outgoing = await office.outside.call(numbers.queue, { callerId: { number: customerNumber }, audio: customerSignal })
  await outgoing.answered()
  const customer = voiceOf(customerSignal, outgoing)
  const incoming = await office.desks[1].waitForCall()
  await speak([customer], 600)
  const { callId } = await eventually(async () => (await tacet.callControl('/v1/calls', { token: tacet.supervisorToken })).body.items[0])
  const beforeAnswer = await tacet.callControl(`/v1/calls/${callId}/recording/pause`, { method: 'POST', token: ben.token })
  t.match(beforeAnswer.problem(), { status: 409, code: 'call-not-answered' })
  const silentUntilMs = performance.timeOrigin + performance.now()
  await incoming.answer({ audio: agentSignal })
  await findLive(tacet, outgoing.sipCallId)
  const talk = createTalk(tacet, { callId, voices: [customer, voiceOf(agentSignal, incoming)], token: ben.token })
  await pauseOnce(talk)
  await talk.hangup()
  const proof = await proofOf(t, tacet, talk)
  t.match(proof.timeline, { number: numbers.queue, agents: [{ agentId: ben.agentId }] })
  checkAudio(t, proof,
    talk,
    { voices: [customer], recorded: [], silent: [{ fromMs: 0, toMs: silentUntilMs }] })
})

t.test('a call through a Local channel is one call, and its recorder outlives the channel', async t => {
  const talk = await receiveCall(office, { number: numbers.local })
  await pauseOnce(talk)
  await talk.hangup()
  const proof = await proofOf(t, tacet, talk)
  t.match(proof.timeline, { direction: 'inbound', number: numbers.local, agents: [{ agentId: anna.agentId }] })
  checkStory(t, proof.types, ['call.ringing', 'call.answered', 'call.agent-joined', ...pausedOnce, 'call.agent-left', 'call.ended'])
  checkAudio(t, proof, talk)
})

t.test('a call that a colleague picks up is theirs', async t => {
  const [customerSignal, agentSignal] = [newSignal('customer'), newSignal('agent1')]
  const outgoing = await office.outside.call(numbers.direct, { callerId: { number: customerNumber }, audio: customerSignal })
  const ringing = await office.desks[0].waitForCall()
  await outgoing.ringing()
  const pickup = await office.desks[1].call('*8', { audio: agentSignal })
  await Promise.all([pickup.answered(), outgoing.answered(), ringing.ended()])
  const { callId } = await findLive(tacet, outgoing.sipCallId)
  const talk = createTalk(tacet, { callId, voices: [voiceOf(customerSignal, outgoing), voiceOf(agentSignal, pickup)], token: ben.token })
  await pauseOnce(talk)
  const annas = await tacet.callControl(`/v1/calls/${callId}/recording`, { token: anna.token })
  t.match(annas.problem(), { status: 404, code: 'call-not-found' })
  await talk.hangup()
  const proof = await proofOf(t, tacet, talk)
  t.match(proof.timeline, { direction: 'inbound', number: numbers.direct, customer: customerNumber })
  t.same(proof.timeline.agents.map(({ agentId }) => agentId), [ben.agentId])
  t.ok(callEvents(tacet, callId).some(({ type, data }) => type === 'call.agent-joined' && data.agentId === ben.agentId))
  checkAudio(t, proof, talk)
})
