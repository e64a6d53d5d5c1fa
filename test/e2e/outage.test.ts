import { eventually, leaked, locate, type TimeRange } from '@tacet/test-kit'
import t from 'tap'
import { customerNumber, numbers, openOffice } from '../support/office.ts'
import { checkAudio, proofOf, segmentFiles } from '../support/proof.ts'
import { createTalk, findLive, newSignal, nowMs, receiveCall, speak, voiceOf, type Voice } from '../support/talk.ts'
import { startTacet } from '../support/tacet.ts'

t.setTimeout(180_000)
const tacet = await startTacet(t)
const office = await openOffice(t, tacet)
const [anna, , chloe] = tacet.agents
const services = ['settings', 'call-control', 'recording-assembly'] as const

/** Of what one said, the other heard about so much; a few packets are always under way. */
function hears (t: { ok: (value: unknown, message: string) => unknown }, listener: Voice, speaker: Voice, { fromMs, toMs }: TimeRange): void {
  const heard = Int16Array.from(listener.call.received.filter(({ arrivedAtMs }) => arrivedAtMs >= fromMs && arrivedAtMs < toMs + 200).flatMap(({ samples }) => [...samples]))
  const heardMs = leaked(locate(heard, [speaker]), speaker.name, fromMs, toMs)
  t.ok(heardMs >= (toMs - fromMs) * 0.8, `${listener.name} heard ${heardMs} of ${toMs - fromMs} ms of ${speaker.name}`)
}

t.test('with all of Tacet dead, calls go on and come through; started again it takes up every call where it is', async t => {
  const recorded = await receiveCall(office)
  const paused = await receiveCall(office, { number: numbers.queue, desk: 1 })
  await Promise.all([recorded.isRecorded(), paused.isRecorded()])
  await speak([...recorded.voices, ...paused.voices], 400)
  await paused.pause()

  await Promise.all(services.map(async name => await tacet.services[name].kill('SIGKILL')))
  const whileDead = { fromMs: nowMs(), toMs: 0 }
  const [customerSignal, agentSignal] = [newSignal('late-customer'), newSignal('chloe')]
  const outgoing = await office.outside.call(numbers.queue, { callerId: { number: customerNumber }, audio: customerSignal })
  const incoming = await office.desks[2].waitForCall()
  await incoming.answer({ audio: agentSignal })
  await outgoing.answered()
  const late = [voiceOf(customerSignal, outgoing), voiceOf(agentSignal, incoming)] as [Voice, Voice]
  await eventually(() => late.every(({ call }) => call.received.length > 0))
  const lateFromMs = nowMs()
  await speak([...recorded.voices, ...paused.voices, ...late], 1000)
  whileDead.toMs = nowMs()
  t.ok(services.every(name => !tacet.services[name].isRunning()), 'nothing of Tacet runs')

  await Promise.all(services.map(async name => await tacet.start(name)))
  const { callId } = await findLive(tacet, outgoing.sipCallId)
  const fresh = createTalk(tacet, { callId, voices: late, token: chloe.token })
  await fresh.isRecorded()
  t.match(await recorded.status(), { state: 'recording', segments: [{ number: 1, closedAt: null }] }, 'the same recorder goes on')
  t.match(await paused.status(), { state: 'paused', reasons: ['agent'] }, 'what was paused stays so')
  t.same(await segmentFiles(tacet, paused.callId), [`tacet-${paused.callId}-1.wav`])
  await speak([...recorded.voices, ...paused.voices, ...late], 400)
  await Promise.all([recorded.pause(), fresh.pause()])
  await speak([...recorded.voices, ...paused.voices, ...late], 300)
  await Promise.all([recorded.resume(), fresh.resume(), paused.resume()])
  await speak([...recorded.voices, ...paused.voices, ...late], 400)
  await Promise.all([recorded, paused, fresh].map(async talk => await talk.hangup()))

  for (const [customer, agent] of [recorded.voices, paused.voices] as [Voice, Voice][]) {
    hears(t, agent, customer, whileDead)
    hears(t, customer, agent, whileDead)
  }
  hears(t, late[1], late[0], { fromMs: lateFromMs, toMs: whileDead.toMs })
  hears(t, late[0], late[1], { fromMs: lateFromMs, toMs: whileDead.toMs })

  const proofOfRecorded = await proofOf(t, tacet, recorded)
  t.equal(proofOfRecorded.timeline.segments.length, 2)
  checkAudio(t, proofOfRecorded, recorded)
  const proofOfPaused = await proofOf(t, tacet, paused)
  t.equal(proofOfPaused.timeline.segments.length, 2)
  t.match(proofOfPaused.timeline.gaps, [{ reasons: ['agent'], by: [{ kind: 'agent' }] }])
  checkAudio(t, proofOfPaused, paused)
  const proofOfFresh = await proofOf(t, tacet, fresh, { outcomes: ['complete', 'incomplete'] })
  t.match(proofOfFresh.timeline.gaps, [{ reasons: ['lost'], atSample: 0 }, { reasons: ['agent'] }])
  t.ok(Date.parse(proofOfFresh.timeline.gaps[0]!.startedAt) < whileDead.toMs, 'the part that was lost is in the timeline')
  checkAudio(t, proofOfFresh, fresh)
  t.equal(proofOfRecorded.timeline.agents[0]?.agentId, anna.agentId)
})
