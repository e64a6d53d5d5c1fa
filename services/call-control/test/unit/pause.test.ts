import t from 'tap'
import type { AuditEntry } from '@tacet/contracts'
import { recorderId } from '../../src/domain/call.ts'
import { commitTimeoutMs, createLab, timings, type Lab } from '../support/lab.ts'
import { problemOf, watchPromise } from '../support/problems.ts'
import { anna, asSupervisor } from '../support/rules.ts'

const stops = ({ driver }: Lab) => driver.calls.filter(({ name }) => name === 'stop').length
const recordingNow = async ({ driver }: Lab) => (await driver.list()).filter(({ state }) => state === 'recording').map(({ recorderId }) => recorderId)
const audits = ({ messages }: Lab) => messages().flatMap(({ type, data }) => type === 'audit.recorded' ? [data as AuditEntry] : [])

t.test('a pause is answered only after the recorder is proven stopped', async t => {
  const lab = createLab()
  const { call: { callId } } = await lab.answerCall()
  lab.driver.faults.stopDelayMs = 300
  const pause = lab.command('pause', callId)
  const answer = watchPromise(pause)
  await lab.time.advance(299)
  t.equal(lab.follower.session(callId)?.call.recording.phase.status, 'pausing')
  t.notOk(answer.isSettled)
  t.equal((await recordingNow(lab)).length, 1)
  await lab.time.advance(1)
  t.ok(answer.isSettled)
  t.same(await recordingNow(lab), [])
  t.match(await pause, { callId, state: 'paused', reasons: ['agent'], durable: true, allowedActions: ['resume'], effectiveAt: new Date(lab.time.now()).toISOString() })
})

t.test('the stop goes out at once, whatever the database does', async t => {
  const lab = createLab()
  const { call: { callId } } = await lab.answerCall()
  lab.store.gate = new Promise(() => {})
  const pause = lab.command('pause', callId)
  await lab.time.settle()
  t.equal(stops(lab), 1)
  await lab.time.advance(commitTimeoutMs)
  t.match(await pause, { state: 'paused', durable: false })
})

t.test('after the answer the evidence is removed, and what was paused is told with who and how', async t => {
  const lab = createLab()
  const { call } = await lab.answerCall()
  await lab.command('pause', call.callId, { note: 'card number' })
  await lab.time.settle()
  t.match(lab.driver.calls.at(-1), { name: 'discard', recorderId: recorderId(call, 1, 'mix') })
  t.same(lab.eventTypes().slice(-3), ['segment.closed', 'recording.paused', 'audit.recorded'])
  const [entry] = audits(lab)
  t.match(entry, { action: 'recording.pause', outcome: 'done', code: null, actor: { kind: 'agent', agentId: anna }, detail: { note: 'card number', device: 'test', rule: { decision: { value: 'allow', decidedBy: 'company' } } } })
  const paused = lab.messages().find(({ type }) => type === 'recording.paused')?.data as { commandId: string }
  t.equal(paused.commandId, entry?.detail.commandId)
  t.match(lab.driver.calls.find(({ name }) => name === 'stop'), { commandId: paused.commandId })
})

t.test('twenty pauses at once are one stop, one transition and the same answer', async t => {
  const lab = createLab()
  const { call: { callId } } = await lab.answerCall()
  lab.driver.faults.stopDelayMs = 5
  const pauses = Array.from({ length: 20 }, () => lab.command('pause', callId))
  await lab.time.advance(10)
  const answers = await Promise.all(pauses)
  t.equal(new Set(answers.map(answer => JSON.stringify(answer))).size, 1)
  t.equal(stops(lab), 1)
  t.equal(lab.eventTypes().filter(type => type === 'recording.paused').length, 1)
  t.equal(audits(lab).length, 20, 'each attempt is in the audit log')
})

t.test('a pause of what is paused is the same answer, and no transition', async t => {
  const lab = createLab()
  const { call: { callId } } = await lab.answerCall()
  const first = await lab.command('pause', callId)
  const again = await lab.command('pause', callId)
  t.same(again, first)
  t.equal(stops(lab), 1)
})

t.test('with the database down a pause still stops, says so, and keeps the stopped recorder as evidence', async t => {
  const lab = createLab()
  const { call } = await lab.answerCall()
  lab.store.isDown = true
  const pause = lab.command('pause', call.callId)
  await lab.time.advance(commitTimeoutMs)
  t.match(await pause, { state: 'paused', durable: false })
  t.same(await lab.driver.list(), [{ recorderId: recorderId(call, 1, 'mix'), state: 'stopped', commandId: (lab.driver.calls.find(({ name }) => name === 'stop') as { commandId: string }).commandId }])
  lab.store.isDown = false
  await lab.time.advance(1000)
  t.same(await lab.driver.list(), [], 'the database is the evidence now')
  t.equal(lab.store.database.calls.get(call.callId)?.call.recording.phase.status, 'paused')
  t.equal(lab.eventTypes().filter(type => type === 'recording.paused').length, 1)
  t.match(await lab.command('pause', call.callId), { state: 'paused', durable: true })
})

t.test('a pause that only this process would remember is an error, never a success', async t => {
  const lab = createLab()
  lab.store.isDown = true
  const { call: { callId } } = await lab.answerCall()
  const refused = problemOf(lab.command('pause', callId, { idempotencyKey: 'k' }))
  await lab.time.advance(commitTimeoutMs)
  t.match(await refused, { code: 'storage-unavailable', status: 503 })
  t.equal(lab.follower.session(callId)?.call.recording.phase.status, 'paused', 'it does not record all the same')
  const again = problemOf(lab.command('pause', callId, { idempotencyKey: 'k' }))
  await lab.time.advance(commitTimeoutMs)
  t.match(await again, { code: 'storage-unavailable' })
  lab.store.isDown = false
  await lab.time.advance(1000)
  t.match(await lab.command('pause', callId, { idempotencyKey: 'k' }), { state: 'paused', durable: true })
  t.notOk(lab.driver.calls.some(({ name }) => name === 'start'))
})

t.test('an unproven pause is answered as such, alarms, goes on trying, and is paused once it is proven', async t => {
  const lab = createLab()
  const { call: { callId } } = await lab.answerCall()
  lab.driver.faults.loseStopProof = true
  const refused = problemOf(lab.command('pause', callId))
  await lab.time.advance(timings.stopTimeoutMs)
  t.match(await refused, { code: 'pause-unconfirmed', status: 503 })
  t.equal(lab.eventTypes().filter(type => type === 'recording.unconfirmed').length, 1)
  t.match(audits(lab), [{ outcome: 'failed', code: 'pause-unconfirmed' }])
  t.match(await problemOf(lab.command('pause', callId)), { code: 'pause-unconfirmed' })
  t.match(await problemOf(lab.command('resume', callId)), { code: 'pause-unconfirmed' })

  await lab.time.advance(10_000)
  const tries = stops(lab)
  t.ok(tries >= 4, `${tries} stops were tried`)
  t.equal(lab.follower.session(callId)?.call.recording.phase.status, 'unconfirmed')

  lab.driver.faults.loseStopProof = false
  await lab.time.advance(5000)
  t.equal(lab.follower.session(callId)?.call.recording.phase.status, 'paused')
  t.same(await recordingNow(lab), [])
  t.equal(lab.eventTypes().filter(type => type === 'recording.paused').length, 1)
  t.same(lab.follower.session(callId)?.call.recording.faults, ['pause-unconfirmed'])
})

t.test('however often it can not be proven, one stop at a time is under way', async t => {
  const lab = createLab()
  const session = await lab.answerCall()
  lab.driver.faults.loseStopProof = true
  const refused = problemOf(lab.command('pause', session.call.callId))
  await lab.time.advance(timings.stopTimeoutMs)
  await refused
  for (let look = 0; look < 5; look += 1) {
    session.dispatch({ type: 'recording', input: { type: 'stop-again', atMs: lab.time.now(), segment: 1 } })
    await lab.time.advance(100)
  }
  const before = stops(lab)
  await lab.time.advance(2 * (timings.stopTimeoutMs + timings.retryDelayMs))
  t.ok(stops(lab) - before <= 3, `${stops(lab) - before} stops in two rounds`)
})

t.test('a supervisor who pauses too is answered with the first proof, and holds the silence with the agent', async t => {
  const lab = createLab()
  const { call: { callId } } = await lab.answerCall()
  lab.driver.faults.stopDelayMs = 50
  const [own, supervisors] = [lab.command('pause', callId), lab.command('pause', callId, { principal: asSupervisor })]
  await lab.time.advance(50)
  t.match(await own, { reasons: ['agent', 'supervisor'] })
  t.same(await supervisors, await own)
  t.equal(stops(lab), 1)
})

t.test('a hangup while the pause is under way closes the files and answers that the call has ended', async t => {
  const lab = createLab()
  const { call: { callId } } = await lab.answerCall()
  lab.driver.faults.stopDelayMs = 300
  const refused = problemOf(lab.command('pause', callId))
  await lab.time.advance(100)
  await lab.hangUp()
  await lab.time.advance(1000)
  t.match(await refused, { code: 'call-ended', status: 409 })
  const { call } = lab.follower.session(callId)!
  t.equal(call.recording.phase.status, 'ended')
  t.match(call.recording.segments, [{ number: 1, closedBy: 'end' }])
  t.equal(lab.eventTypes().filter(type => type === 'recording.ended').length, 1)
})

t.test('an end that finds an unprovable stop under way tries as long as any other', async t => {
  const lab = createLab()
  const { call: { callId } } = await lab.answerCall()
  lab.driver.faults.loseStopProof = true
  const refused = problemOf(lab.command('pause', callId))
  await lab.time.advance(1000)
  lab.follower.apply({ type: 'transferred', kind: 'blind', byChannelIds: ['1795419347.7'], to: '1002' })
  t.match(await refused, { code: 'recording-ended' })
  await lab.time.advance(timings.stopTimeoutMs + timings.retryDelayMs)
  t.equal(lab.follower.session(callId)?.call.recording.phase.status, 'ending')
  lab.driver.faults.loseStopProof = false
  await lab.time.advance(timings.stopTimeoutMs)
  t.equal(lab.follower.session(callId)?.call.recording.phase.status, 'ended')
  t.match(lab.follower.session(callId)?.call.recording.segments, [{ proof: 'event' }])
})

t.test('an end that can never be proven gives up, and says what is not certain', async t => {
  const lab = createLab()
  const { call: { callId } } = await lab.answerCall()
  lab.driver.faults.loseStopProof = true
  lab.follower.apply({ type: 'transferred', kind: 'blind', byChannelIds: ['1795419347.7'], to: '1002' })
  await lab.time.advance(timings.maxSealAttempts * (timings.stopTimeoutMs + timings.retryDelayMs))
  const { recording } = lab.follower.session(callId)!.call
  t.equal(recording.phase.status, 'ended')
  t.same(recording.faults, ['close-unproven'])
  t.match(recording.segments, [{ proof: 'recovered' }])
})
