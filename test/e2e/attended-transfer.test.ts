import { eventually } from '@tacet/test-kit'
import t from 'tap'
import { openOffice } from '../support/office.ts'
import { callEvents, checkAudio, proofOf, waitForEvent } from '../support/proof.ts'
import { createTalk, newSignal, nowMs, receiveCall, speak, voiceOf } from '../support/talk.ts'
import { startTacet } from '../support/tacet.ts'

t.setTimeout(180_000)
const tacet = await startTacet(t)
const office = await openOffice(t, tacet)
const [anna, ben] = tacet.agents
const everywhere = { fromMs: 0, toMs: Infinity }

type Received = Awaited<ReturnType<typeof receiveCall>>

/** Anna puts the customer on hold and asks somebody first, Ben unless it is said whom. */
async function consult (talk: Received, { number, phone } = { number: ben.extension, phone: office.desks[1] }) {
  await talk.agent.call.hold()
  const [annaSignal, nextSignal] = [newSignal('anna-asks'), newSignal('asked')]
  const outgoing = await office.desks[0].call(number, { audio: annaSignal })
  const incoming = await phone.waitForCall()
  await incoming.answer({ audio: nextSignal })
  await outgoing.answered()
  const { callId } = await eventually(async () => {
    const { body } = await tacet.callControl('/v1/calls', { token: tacet.supervisorToken })
    return body.items.find((call: any) => call.callId !== talk.callId && call.sipCallIds.includes(outgoing.sipCallId) && call.answeredAt !== null)
  }, { message: 'the consultation is not seen' })
  const asking = voiceOf(annaSignal, outgoing)
  const next = voiceOf(nextSignal, incoming)
  return { asking, next, talk: createTalk(tacet, { callId, voices: [asking, next], token: anna.token }) }
}

async function joinCustomer (talk: Received, consultation: Awaited<ReturnType<typeof consult>>): Promise<void> {
  for (const { recorded } of [talk, consultation.talk]) if (recorded.at(-1)?.toMs === Infinity) recorded.at(-1)!.toMs = nowMs()
  await talk.agent.call.attendedTransfer(consultation.asking.call)
  await Promise.all([talk.agent.call.ended(), consultation.asking.call.ended()])
  await waitForEvent(tacet, talk.callId, 'call.transferred')
  talk.voices.push(consultation.next)
}

t.test('an attended transfer cuts both recordings, and the customer is in the first alone', async t => {
  await tacet.putCompany({ transfers: 'stop' })
  const talk = await receiveCall(office)
  await talk.isRecorded()
  await speak(talk.voices, 400)
  const agentsPart = { recorded: [{ fromMs: talk.recorded[0]!.fromMs, toMs: nowMs() }], silent: [] }
  const consultation = await consult(talk)
  await consultation.talk.isRecorded()
  await speak([talk.customer, ...consultation.talk.voices], 500)
  const joinedAtMs = nowMs()
  await joinCustomer(talk, consultation)
  await eventually(async () => (await talk.status(tacet.supervisorToken)).state === 'ended', { message: 'the recording goes on' })
  talk.mute()
  await speak([talk.customer, consultation.next], 500)
  await talk.hangup()

  const [proof, aside] = await Promise.all([proofOf(t, tacet, talk), proofOf(t, tacet, consultation.talk)])
  t.match(proof.events.find(({ type }) => type === 'call.transferred')?.data, { kind: 'attended', byAgentId: anna.agentId })
  t.match(proof.timeline, { direction: 'inbound', endReason: 'transfer' })
  checkAudio(t, proof,
    { ...talk, voices: [talk.customer] },
    { ...agentsPart, voices: [talk.agent] },
    { voices: [consultation.asking], recorded: [], silent: [everywhere] },
    { voices: [consultation.next], recorded: [], silent: [{ fromMs: 0, toMs: joinedAtMs }, ...talk.silent] })
  t.match(aside.timeline, { direction: 'internal', endReason: 'transfer' })
  checkAudio(t, aside,
    consultation.talk,
    { voices: [talk.customer, talk.agent], recorded: [], silent: [everywhere] })
})

t.test('where recordings survive a transfer, the customer\'s goes on with the next agent, the consultation\'s ends', async t => {
  await tacet.putCompany({ transfers: 'continue' })
  const talk = await receiveCall(office)
  await talk.isRecorded()
  await speak(talk.voices, 400)
  const consultation = await consult(talk)
  await consultation.talk.isRecorded()
  await speak([talk.customer, ...consultation.talk.voices], 400)
  await joinCustomer(talk, consultation)
  const before = talk.recorded.splice(0)
  await eventually(async () => (await talk.status(ben.token)).segments.length >= 2, { message: 'the recorder was not replaced' })
  await talk.isRecorded()
  await speak([talk.customer, consultation.next], 500)
  await talk.pause({ token: ben.token })
  await speak([talk.customer, consultation.next], 400)
  await talk.hangup()

  const [proof, aside] = await Promise.all([proofOf(t, tacet, talk), proofOf(t, tacet, consultation.talk)])
  t.match(proof.manifest, { aliases: [consultation.talk.callId], endReason: 'hangup' })
  t.same(proof.timeline.agents.map(({ agentId }) => agentId), [anna.agentId, ben.agentId])
  t.match(callEvents(tacet, talk.callId).find(({ type }) => type === 'call.joined')?.data, { alias: consultation.talk.callId })
  checkAudio(t, proof,
    { voices: [talk.customer], recorded: [...before, ...talk.recorded], silent: talk.silent },
    { voices: [consultation.next], recorded: talk.recorded, silent: [...talk.silent, { fromMs: 0, toMs: before[0]!.toMs }] },
    { voices: [consultation.asking], recorded: [], silent: [everywhere] })
  checkAudio(t, aside,
    consultation.talk,
    { voices: [talk.customer], recorded: [], silent: [everywhere] })
})

t.test('a call that is transferred while it is paused stays paused, and its consultation is silent with it', async t => {
  await tacet.putCompany({ transfers: 'continue' })
  const talk = await receiveCall(office)
  await talk.isRecorded()
  await speak(talk.voices, 400)
  await talk.pause()
  const consultation = await consult(talk)
  await eventually(async () => (await consultation.talk.status()).state === 'paused', { message: 'the consultation is not silent' })
  t.match(await consultation.talk.status(), { reasons: ['policy'] })
  await speak([talk.customer, ...consultation.talk.voices], 400)
  const lifted = await consultation.talk.send('resume')
  t.match(lifted.problem(), { status: 409, code: 'still-paused', reasons: ['policy'] })
  await joinCustomer(talk, consultation)
  await speak([talk.customer, consultation.next], 400)
  t.match(await talk.status(ben.token), { state: 'paused', reasons: ['agent'] })
  await talk.resume({ token: ben.token })
  await speak([talk.customer, consultation.next], 500)
  await talk.hangup()

  const [proof, aside] = await Promise.all([proofOf(t, tacet, talk), waitForEvent(tacet, consultation.talk.callId, 'call.ended')])
  t.ok(aside)
  t.match(proof.timeline.gaps, [{ reasons: ['agent'] }])
  t.equal(proof.timeline.segments.length, 2)
  checkAudio(t, proof,
    { ...talk, voices: [talk.customer] },
    { voices: [consultation.next], recorded: [talk.recorded[1]!], silent: talk.silent },
    { voices: [consultation.asking], recorded: [], silent: [everywhere] })
})

for (const order of ['the pause comes first', 'the consultation comes first']) {
  t.test(`a paused customer is in no file when they are transferred to somebody outside who was asked first, and ${order}`, async t => {
    await tacet.putCompany({ transfers: 'continue' })
    const talk = await receiveCall(office)
    await talk.isRecorded()
    await speak(talk.voices, 400)
    if (order.startsWith('the pause')) await talk.pause()
    const consultation = await consult(talk, { number: '+447700900555', phone: office.outside })
    if (!order.startsWith('the pause')) {
      await consultation.talk.isRecorded()
      await speak([talk.customer, ...consultation.talk.voices], 400)
      consultation.talk.mute()
      await talk.pause()
    }
    await eventually(async () => (await consultation.talk.status()).state === 'recording')
    consultation.talk.listen()
    await speak([talk.customer, ...consultation.talk.voices], 600)
    await joinCustomer(talk, consultation)
    consultation.talk.mute()
    await speak([talk.customer, consultation.next], 600)
    t.match(await talk.status(tacet.supervisorToken), { state: 'paused', reasons: ['agent'] })
    await talk.hangup()

    const [proof, aside] = await Promise.all([proofOf(t, tacet, talk), proofOf(t, tacet, consultation.talk)])
    checkAudio(t, proof, { ...talk, voices: [talk.customer] }, { voices: consultation.talk.voices, recorded: [], silent: [everywhere] })
    const [asked, ...later] = consultation.talk.recorded
    checkAudio(t, aside,
      { voices: consultation.talk.voices, recorded: [asked!, ...later], silent: [] },
      { voices: [talk.customer], recorded: [], silent: [everywhere] })
  })
}
