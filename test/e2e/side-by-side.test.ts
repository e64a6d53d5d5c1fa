import { randomUUID } from 'node:crypto'
import { eventually } from '@tacet/test-kit'
import t from 'tap'
import { numbers, openOffice } from '../support/office.ts'
import { auditOf, callEvents, checkAudio, proofOf } from '../support/proof.ts'
import { nowMs, receiveCall, speak } from '../support/talk.ts'
import { startTacet } from '../support/tacet.ts'

t.setTimeout(180_000)
const tacet = await startTacet(t)
const office = await openOffice(t, tacet)
const [anna, ben] = tacet.agents

t.test('two calls at once don\'t touch each other, and no agent reaches the other\'s', async t => {
  const annas = await receiveCall(office)
  const bens = await receiveCall(office, { number: numbers.queue, desk: 1 })
  await Promise.all([annas.isRecorded(), bens.isRecorded()])
  await speak([...annas.voices, ...bens.voices], 400)
  await annas.pause()
  t.equal((await bens.status()).state, 'recording')
  await speak([...annas.voices, ...bens.voices], 400)
  await bens.pause()
  await annas.resume()
  await speak([...annas.voices, ...bens.voices], 400)
  t.equal((await bens.status()).state, 'paused')

  const live = await tacet.callControl('/v1/calls', { token: anna.token })
  t.same(live.body.items.map(({ callId }: { callId: string }) => callId), [annas.callId])
  const withoutTrace = ({ correlationId: _, ...rest }: Record<string, unknown>) => rest
  for (const [path, method] of [['recording', 'GET'], ['recording/pause', 'POST'], ['recording/resume', 'POST']]) {
    const [foreign, unknown] = await Promise.all([bens.callId, randomUUID()].map(async callId => await tacet.callControl(`/v1/calls/${callId}/${path}`, { method: method!, token: anna.token })))
    t.match(foreign!.problem(), { status: 404, code: 'call-not-found' })
    t.same(withoutTrace(foreign!.problem()), withoutTrace(unknown!.problem()))
  }
  const wrongSipCallId = await tacet.callControl(`/phone/v1/${anna.deviceToken}/resume?callId=${bens.agent.call.sipCallId}`)
  t.match(wrongSipCallId.problem(), { status: 404, code: 'no-live-call' })
  t.equal((await bens.status()).state, 'paused')

  await bens.resume()
  await speak(bens.voices, 300)
  await Promise.all([annas.hangup(), bens.hangup()])
  for (const talk of [annas, bens]) {
    const proof = await proofOf(t, tacet, talk)
    t.equal(proof.types.filter(type => type === 'recording.paused').length, 1)
    checkAudio(t, proof, talk)
  }
  const foreignRecording = await tacet.assembly(`/v1/recordings/${bens.callId}`, { token: anna.token })
  t.match(foreignRecording.problem(), { status: 404, code: 'recording-not-found' })
  t.equal((await tacet.assembly(`/v1/recordings/${bens.callId}`, { token: ben.token })).status, 200)
})

t.test('twenty presses at once make one transition, and get the same answer', async t => {
  const talk = await receiveCall(office)
  await talk.isRecorded()
  const press = async (action: 'pause' | 'resume', index: number) => index % 2 === 0
    ? await tacet.callControl(`/v1/calls/${talk.callId}/recording/${action}`, { method: 'POST', token: anna.token })
    : await tacet.callControl(`/phone/v1/${anna.deviceToken}/${action}`, { headers: { accept: 'application/json' } })
  const pressTwenty = async (action: 'pause' | 'resume') => {
    const requestedAtMs = nowMs()
    const answers = await Promise.all(Array.from({ length: 20 }, async (_, index) => await press(action, index)))
    const [first] = answers
    t.match(first, { status: 200, body: { state: action === 'pause' ? 'paused' : 'recording', durable: true } })
    for (const { status, body } of answers) t.same({ status, body }, { status: 200, body: first!.body })
    const event = await eventually(() => callEvents(tacet, talk.callId).findLast(({ type }) => type === `recording.${action}d`))
    t.match(event.data, { seq: first!.body.seq, at: first!.body.effectiveAt })
    return { requestedAtMs, answeredAtMs: nowMs() }
  }
  await speak(talk.voices, 400)
  const paused = await pressTwenty('pause')
  await speak(talk.voices, 400)
  const resumed = await pressTwenty('resume')
  await speak(talk.voices, 400)
  talk.recorded[0]!.toMs = paused.requestedAtMs
  talk.silent.push({ fromMs: paused.answeredAtMs, toMs: resumed.requestedAtMs })
  talk.recorded.push({ fromMs: resumed.answeredAtMs, toMs: Infinity })
  await talk.hangup()

  const proof = await proofOf(t, tacet, talk)
  t.equal(proof.types.filter(type => type === 'recording.paused').length, 1)
  t.equal(proof.types.filter(type => type === 'recording.resumed').length, 1)
  t.equal(proof.timeline.segments.length, 2)
  checkAudio(t, proof, talk)
  const audit = await eventually(() => auditOf(tacet, talk.callId).length >= 40 && auditOf(tacet, talk.callId), { message: '40 entries in the audit log' })
  for (const action of ['recording.pause', 'recording.resume']) {
    const entries = audit.filter(entry => entry.action === action)
    t.equal(entries.length, 20)
    t.equal(new Set(entries.map(({ effectiveAt }) => effectiveAt)).size, 1)
    t.ok(entries.every(({ outcome, actor }) => outcome === 'done' && actor.agentId === anna.agentId))
    t.same([...new Set(entries.map(({ detail }) => detail.device))].sort(), ['api', 'phone'])
  }
})
