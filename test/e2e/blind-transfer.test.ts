import { eventually } from '@tacet/test-kit'
import t from 'tap'
import { openOffice } from '../support/office.ts'
import { checkAudio, proofOf, segmentFiles } from '../support/proof.ts'
import { newSignal, receiveCall, speak, voiceOf, type Talk, type Voice } from '../support/talk.ts'
import { startTacet } from '../support/tacet.ts'

t.setTimeout(180_000)
const tacet = await startTacet(t)
const office = await openOffice(t, tacet)
const [anna, ben] = tacet.agents
const everywhere = { fromMs: 0, toMs: Infinity }

type Received = Awaited<ReturnType<typeof receiveCall>>

/** Anna transfers the customer and is out; whoever is called answers. */
async function transfer (talk: Received, target: string, phone: typeof office.outside): Promise<Voice> {
  const signal = newSignal('next')
  const transferred = talk.agent.call.blindTransfer(target)
  const incoming = await phone.waitForCall()
  await incoming.answer({ audio: signal })
  await transferred
  await talk.agent.call.ended()
  const next = voiceOf(signal, incoming)
  talk.voices.push(next)
  return next
}
const transferToBen = async (talk: Received) => await transfer(talk, ben.extension, office.desks[1])

async function isJoined (talk: Talk, agentId: string): Promise<void> {
  await eventually(async () => {
    const { body } = await tacet.callControl('/v1/calls', { token: tacet.supervisorToken })
    return body.items.find(({ callId }: { callId: string }) => callId === talk.callId)?.agentIds.includes(agentId)
  }, { message: 'the next agent is not in the call' })
}

t.test('a blind transfer cuts the recording: only the part before is saved', async t => {
  await tacet.putCompany({ transfers: 'stop' })
  const talk = await receiveCall(office)
  await talk.isRecorded()
  await speak(talk.voices, 500)
  talk.recorded[0]!.toMs = performance.timeOrigin + performance.now()
  const next = await transferToBen(talk)
  await eventually(async () => (await talk.status(tacet.supervisorToken)).state === 'ended', { message: 'the recording goes on' })
  talk.mute()
  await speak(talk.voices, 500)
  t.match((await talk.send('resume', { token: ben.token })).problem(), { status: 409, code: 'recording-ended' })
  t.ok((await segmentFiles(tacet, talk.callId)).length <= 1)
  await talk.hangup()

  const proof = await proofOf(t, tacet, talk)
  const transferred = proof.events.find(({ type }) => type === 'call.transferred')
  t.match(transferred?.data, { kind: 'blind', byAgentId: anna.agentId, to: ben.extension })
  t.ok(proof.types.indexOf('call.transferred') < proof.types.indexOf('recording.ended'))
  t.ok(Date.parse(proof.timeline.endedAt) - Date.parse(transferred?.data.at) < 1000, 'cut at the transfer')
  t.match(proof.timeline, { endReason: 'transfer', gaps: [], segments: [{ number: 1, closedBy: 'end' }] })
  t.equal(proof.timeline.segments.length, 1)
  checkAudio(t, proof,
    { ...talk, voices: [talk.customer] },
    { voices: [next], recorded: [], silent: [everywhere] })
})

t.test('a transfer that nobody saw, because call-control was down, cuts the recording all the same', async t => {
  await tacet.putCompany({ transfers: 'stop' })
  const talk = await receiveCall(office)
  await talk.isRecorded()
  await speak(talk.voices, 500)
  await tacet.services['call-control'].kill('SIGKILL')
  talk.recorded[0]!.toMs = performance.timeOrigin + performance.now()
  const next = await transferToBen(talk)
  await tacet.start('call-control')
  await eventually(async () => (await talk.status(tacet.supervisorToken)).state === 'ended', { message: 'the recording goes on' })
  talk.mute()
  await speak(talk.voices, 500)
  await talk.hangup()

  const proof = await proofOf(t, tacet, talk)
  t.match(proof.timeline, { endReason: 'transfer', segments: [{ number: 1 }], gaps: [] })
  t.match(proof.events.find(({ type }) => type === 'call.transferred')?.data, { kind: 'blind' })
  checkAudio(t, proof,
    { ...talk, voices: [talk.customer] },
    { voices: [next], recorded: [], silent: talk.silent })
})

t.test('where recordings survive a transfer, the next agent is heard, and their own access decides', async t => {
  await tacet.putCompany({ transfers: 'continue' })
  await tacet.putAgent(1, { agentInitiatedPause: 'deny' })
  const talk = await receiveCall(office)
  await talk.isRecorded()
  await speak(talk.voices, 500)
  const before = { recorded: talk.recorded.splice(0), silent: [] }
  before.recorded[0]!.toMs = performance.timeOrigin + performance.now()
  const next = await transferToBen(talk)
  await isJoined(talk, ben.agentId)
  await talk.isRecorded()
  await speak(talk.voices, 300)
  t.match((await talk.send('pause', { token: ben.token })).problem(), { status: 403, code: 'pause-denied', decidedBy: 'agent' })
  t.match((await talk.send('pause', { token: anna.token })).problem(), { status: 404, code: 'call-not-found' })
  await speak(talk.voices, 300)
  await talk.hangup()
  await tacet.putAgent(1, {})

  const proof = await proofOf(t, tacet, talk)
  t.match(proof.timeline, { endReason: 'hangup', agents: [{ agentId: anna.agentId }, { agentId: ben.agentId }] })
  checkAudio(t, proof,
    { ...before, voices: [talk.customer, talk.agent] },
    { ...talk, voices: [talk.customer, next] })
})

t.test('a call that is transferred while it is paused stays paused, until the next agent lifts it', async t => {
  await tacet.putCompany({ transfers: 'continue' })
  const talk = await receiveCall(office)
  await talk.isRecorded()
  await speak(talk.voices, 400)
  await talk.pause()
  await speak(talk.voices, 300)
  const next = await transferToBen(talk)
  await isJoined(talk, ben.agentId)
  await speak(talk.voices, 400)
  t.match(await talk.status(ben.token), { state: 'paused', reasons: ['agent'], allowedActions: ['resume'] })
  t.same(await segmentFiles(tacet, talk.callId), [`tacet-${talk.callId}-1.wav`])
  await talk.resume({ token: ben.token })
  await speak(talk.voices, 400)
  await talk.hangup()

  const proof = await proofOf(t, tacet, talk)
  t.equal(proof.timeline.segments.length, 2)
  t.match(proof.timeline.gaps, [{ reasons: ['agent'] }])
  t.match(proof.events.find(({ type }) => type === 'recording.resumed')?.data.by, { agentId: ben.agentId })
  const [first, second] = talk.recorded
  checkAudio(t, proof,
    { ...talk, voices: [talk.customer] },
    { voices: [talk.agent], recorded: [first!], silent: [{ fromMs: talk.silent[0]!.fromMs, toMs: Infinity }] },
    { voices: [next], recorded: [second!], silent: [{ fromMs: 0, toMs: talk.silent[0]!.toMs }] })
})

t.test('a call that is transferred while it is paused stays paused to its end, when the next agent has no access', async t => {
  await tacet.putCompany({ transfers: 'continue' })
  await tacet.putAgent(1, { agentInitiatedPause: 'deny' })
  const talk = await receiveCall(office)
  await talk.isRecorded()
  await speak(talk.voices, 400)
  await talk.pause()
  await speak(talk.voices, 200)
  const next = await transferToBen(talk)
  await isJoined(talk, ben.agentId)
  t.match((await talk.send('resume', { token: ben.token })).problem(), { status: 403, code: 'pause-denied', decidedBy: 'agent' })
  await speak(talk.voices, 300)
  t.match(await talk.status(ben.token), { state: 'paused', reasons: ['agent'], allowedActions: [] })
  await talk.hangup()
  await tacet.putAgent(1, {})

  const proof = await proofOf(t, tacet, talk)
  t.equal(proof.timeline.segments.length, 1)
  checkAudio(t, proof,
    { ...talk, voices: [talk.customer, talk.agent] },
    { voices: [next], recorded: [], silent: [everywhere] })
})

for (const transfers of ['stop', 'continue']) {
  t.test(`a transfer to an outside number: transfers ${transfers}`, async t => {
    await tacet.putCompany({ transfers })
    const talk = await receiveCall(office)
    await talk.isRecorded()
    await speak(talk.voices, 400)
    const before = { recorded: talk.recorded.splice(0), silent: [] }
    before.recorded[0]!.toMs = performance.timeOrigin + performance.now()
    const next = await transfer(talk, '+447700900555', office.outside)
    if (transfers === 'continue') {
      await eventually(async () => (await talk.status(tacet.supervisorToken)).segments.length === 2, { message: 'the recorder was not replaced' })
      await talk.isRecorded()
    } else {
      await eventually(async () => (await talk.status(tacet.supervisorToken)).state === 'ended', { message: 'the recording goes on' })
      talk.mute()
    }
    await speak(talk.voices, 500)
    await talk.hangup()
    const proof = await proofOf(t, tacet, talk)
    t.match(proof.timeline, { endReason: transfers === 'stop' ? 'transfer' : 'hangup' })
    t.match(proof.events.find(({ type }) => type === 'call.transferred')?.data, { kind: 'blind', to: '+447700900555' })
    checkAudio(t, proof,
      { ...before, voices: [talk.customer, talk.agent] },
      { ...talk, voices: [talk.customer, next] })
  })
}
