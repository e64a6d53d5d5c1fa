import t from 'tap'
import { recorderId } from '../../src/domain/call.ts'
import type { Cause } from '../../src/domain/recording.ts'
import type { Attempt } from '../../src/usecases/audit-attempt.ts'
import { nothing, reconcile, snapshotOf, succeed, talking } from '../support/instance.ts'
import { annaLeg, callIdOf, createLab, leg, trunkLeg, type Lab } from '../support/lab.ts'
import { ben, company, everywhere } from '../support/rules.ts'

const successorOf = ({ time, driver, store }: Lab): Lab => succeed({ time, driver, database: store.database })
const recordingNow = async ({ driver }: Lab) => (await driver.list()).filter(({ state }) => state === 'recording').map(({ recorderId }) => recorderId)
const phaseOf = ({ follower }: Lab, callId: string) => follower.session(callId)?.call.recording.phase.status
const auditOf = (lab: Lab) => lab.messages().filter(({ type }) => type === 'audit.recorded').map(({ data }) => data)
const attemptOf = (cause: Cause, requestedAtMs: number): Attempt => ({ action: 'pause', cause, askedBy: 'agent', requestedAtMs, address: '192.0.2.7', detail: { device: 'phone' } })

async function createAnswered () {
  const lab = createLab()
  const { call } = await lab.answerCall()
  return { lab, callId: call.callId, recorder: (segment: number) => recorderId(call, segment, 'mix') }
}

t.test('a call that goes on is picked up, and its recorder with it', async t => {
  const { lab, callId, recorder } = await createAnswered()
  const next = successorOf(lab)
  const told = lab.messages().length
  t.same(await reconcile(next, talking), [])
  t.equal(phaseOf(next, callId), 'recording')
  t.same(await recordingNow(next), [recorder(1)])
  t.equal(next.messages().length, told, 'nothing happened, nothing is said')
})

t.test('looking once more changes nothing, in every state', async t => {
  const { lab, callId } = await createAnswered()
  const look = async () => {
    const before = [structuredClone(lab.follower.session(callId)?.call), lab.driver.calls.length]
    await reconcile(lab, talking)
    t.same([lab.follower.session(callId)?.call, lab.driver.calls.length], before)
  }
  await look()
  await lab.command('pause', callId)
  await lab.time.settle() // what was stopped goes after the answer
  await look()
  const resume = lab.command('resume', callId)
  await lab.time.settle()
  await look()
  await lab.time.advance(1000)
  await resume
  await look()
})

t.test('a look while a start waits for the database leaves it alone', async t => {
  const lab = createLab()
  lab.store.gate = new Promise(() => {})
  const { call } = await lab.answerCall()
  await reconcile(lab, talking)
  t.equal(lab.follower.session(call.callId)?.call.recording.nextSegment, 2)
  t.equal(phaseOf(lab, call.callId), 'starting')
})

t.test('a stopped recorder that no transition explains is adopted as a pause, under its command', async t => {
  const { lab, callId, recorder } = await createAnswered()
  await lab.driver.stop({ recorderId: recorder(1), commandId: '01990000-0000-7000-8000-00000000abcd', deadlineMs: 1000 })
  const next = successorOf(lab)
  await reconcile(next, talking)
  t.equal(phaseOf(next, callId), 'paused')
  t.match(next.messages().find(({ type }) => type === 'recording.paused')?.data, { commandId: '01990000-0000-7000-8000-00000000abcd', by: { kind: 'recovery' } })
  t.match(auditOf(next), [{ action: 'recording.pause', outcome: 'done', actor: { kind: 'recovery', agentId: null }, detail: { isAdopted: true, commandId: '01990000-0000-7000-8000-00000000abcd' } }])
  t.same(await next.driver.list(), [])
})

t.test('a stored intent is carried out, under the command and by whom it was asked for', async t => {
  const { lab, callId } = await createAnswered()
  const cause = { commandId: '01990000-0000-7000-8000-00000000abcd', by: { kind: 'agent' as const, agentId: ben, credentialId: null } }
  await lab.store.noteIntent({ callId, revision: lab.follower.session(callId)!.revision, attempt: attemptOf(cause, lab.time.now()) })
  const next = successorOf(lab)
  await reconcile(next, talking)
  t.equal(phaseOf(next, callId), 'paused')
  t.same(await recordingNow(next), [])
  t.match(next.messages().find(({ type }) => type === 'recording.paused')?.data, cause)
  t.match(auditOf(next), [{ action: 'recording.pause', outcome: 'done', actor: { kind: 'agent', agentId: ben, address: '192.0.2.7' }, detail: { device: 'phone', isAdopted: true, commandId: cause.commandId } }], 'the audit log has it, once')
})

t.test('an intent that a later commit has outrun is stale', async t => {
  const { lab, callId } = await createAnswered()
  const { revision } = lab.follower.session(callId)!
  await lab.command('pause', callId)
  const resume = lab.command('resume', callId)
  await lab.time.advance(1000)
  await resume
  await lab.store.noteIntent({ callId, revision, attempt: attemptOf({ commandId: null, by: { kind: 'agent', agentId: ben, credentialId: null } }, 0) })
  const next = successorOf(lab)
  await reconcile(next, talking)
  t.equal(phaseOf(next, callId), 'recording')
})

t.test('a recorder that vanished without a reason stays silent, alarms, and an agent may lift it', async t => {
  const { lab, callId, recorder } = await createAnswered()
  lab.driver.vanish(recorder(1))
  const next = successorOf(lab)
  await reconcile(next, talking)
  t.equal(phaseOf(next, callId), 'paused')
  t.ok(next.eventTypes().includes('recording.missing'))
  const resume = next.command('resume', callId)
  await next.time.advance(1000)
  t.match(await resume, { state: 'recording' })
  t.match(next.follower.session(callId)?.call.recording.gaps, [{ reasons: ['lost'] }])
})

t.test('a leg that was replaced meanwhile explains the loss: it records on, in a new segment', async t => {
  const { lab, callId, recorder } = await createAnswered()
  lab.driver.hangUpLeg(trunkLeg().channelId)
  const next = successorOf(lab)
  await reconcile(next, snapshotOf(trunkLeg({ channelId: '1795419347.99' }), annaLeg()))
  await next.time.advance(100)
  t.equal(phaseOf(next, callId), 'recording')
  t.same(await recordingNow(next), [recorder(2)])
  t.match(next.follower.session(callId)?.call.recording, { nextSegment: 3, segments: [{ number: 1, closedBy: 'lost' }] })
})

t.test('a call that ended meanwhile is ended, once, with everything it recorded', async t => {
  const { lab, callId } = await createAnswered()
  lab.driver.hangUpLeg(trunkLeg().channelId)
  const next = successorOf(lab)
  await reconcile(next, nothing)
  t.same(next.eventTypes().filter(type => type === 'recording.ended' || type === 'call.ended'), ['call.ended', 'recording.ended'])
  t.match(next.messages().find(({ type }) => type === 'recording.ended')?.data, { manifest: { callId, segments: [{ number: 1 }] } })
  await reconcile(successorOf(next), nothing)
  t.equal(next.eventTypes().filter(type => type === 'recording.ended').length, 1)
})

t.test('a call that began meanwhile is recorded, and the time before is missing from its timeline', async t => {
  const lab = createLab()
  await reconcile(lab, talking)
  const { call } = lab.follower.session(callIdOf(trunkLeg().channelId))!
  t.equal(call.recording.phase.status, 'recording')
  t.match(call.recording.gaps, [{ startedAtMs: annaLeg().createdAtMs, reasons: ['lost'] }])
})

t.test('recorders that are nobody\'s are removed, those of live calls are not', async t => {
  const { lab, recorder } = await createAnswered()
  const stray = 'tacet-f0000000-0000-4000-8000-000000000000-1'
  await lab.driver.start({ recorderId: stray, legId: 'x', spy: 'both', sampleRateHz: 8000, deadlineMs: 1000 })
  t.same(await reconcile(lab, talking), [stray])
  t.same(await recordingNow(lab), [recorder(1)])
})

t.test('the evidence of a pause is removed once the database has it', async t => {
  const { lab, callId, recorder } = await createAnswered()
  await lab.command('pause', callId)
  await lab.driver.start({ recorderId: 'tacet-x', legId: 'x', spy: 'both', sampleRateHz: 8000, deadlineMs: 1000 })
  lab.driver.vanish('tacet-x')
  await reconcile(successorOf(lab), talking)
  t.notOk((await lab.driver.list()).some(({ recorderId }) => recorderId === recorder(1)))
})

t.test('the evidence of a pause that the database does not have yet is left alone', async t => {
  const { lab, callId, recorder } = await createAnswered()
  await reconcile(lab, talking)
  lab.store.isDown = true
  const pause = lab.command('pause', callId)
  await lab.time.advance(2000)
  t.match(await pause, { state: 'paused', durable: false })
  t.same(await reconcile(lab, talking), [])
  t.match(await lab.driver.list(), [{ recorderId: recorder(1), state: 'stopped' }])

  // The process dies before the database is back: what is left on the PBX tells its successor.
  const next = successorOf(lab)
  await reconcile(next, talking)
  t.equal(phaseOf(next, callId), 'paused')

  lab.store.isDown = false
  await lab.time.advance(5000)
  t.notOk((await lab.driver.list()).some(({ state }) => state === 'stopped'), 'once it is stored it is removed')
})

t.test('answers given by Idempotency-Key survive', async t => {
  const { lab, callId } = await createAnswered()
  const answer = await lab.command('pause', callId, { idempotencyKey: 'k' })
  const next = successorOf(lab)
  await reconcile(next, talking)
  t.same(await next.command('pause', callId, { idempotencyKey: 'k' }), answer)
})

t.test('without the database nothing is believed of the PBX', async t => {
  const { lab } = await createAnswered()
  const next = successorOf(lab)
  next.store.isDown = true
  await t.rejects(reconcile(next, talking))
  t.same(next.follower.sessions(), [])
})

t.test('a silence of the rules that its instance did not live to lift is lifted', async t => {
  const lab = createLab({ company: company({ transfers: 'continue' }) })
  const { call: { callId } } = await lab.answerCall()
  lab.driver.faults.stopDelayMs = 100
  lab.follower.apply({ type: 'transferred', kind: 'blind', byChannelIds: [annaLeg().channelId], to: '1002' })
  await lab.time.settle()
  lab.follower.close()
  const next = successorOf(lab)
  await reconcile(next, snapshotOf(trunkLeg(), leg({ channelId: '1795419347.9', endpoint: 'PJSIP/1002' })))
  await next.time.advance(2000)
  t.equal(phaseOf(next, callId), 'recording')
  t.same(next.follower.session(callId)?.call.recording.reasons, [])
})

t.test('an off call stays off', async t => {
  const lab = createLab({ company: company({ recording: everywhere('off') }) })
  const { call: { callId } } = await lab.answerCall()
  const next = successorOf(lab)
  await reconcile(next, talking)
  t.equal(phaseOf(next, callId), 'off')
  t.same(next.driver.calls, [])
})

t.test('a PBX that comes back is looked at without the database, once its calls are known', async t => {
  const { lab, callId } = await createAnswered()
  const next = successorOf(lab)
  next.store.isDown = true
  await t.rejects(reconcile(next, talking), { name: 'StoreUnavailable' }, 'whoever takes over must know what was stored')
  next.store.isDown = false
  await reconcile(next, talking)
  next.store.isDown = true
  await reconcile(next, nothing)
  t.match(next.follower.session(callId)?.call, { recording: { phase: { status: 'ended' } } })
})

t.test('an answer that was seen late is dated by when it was, and the recording says that its beginning is missing', async t => {
  const lab = createLab()
  const answeredAtMs = lab.time.now()
  lab.time.sleepThrough(5000)
  for (const leg of [trunkLeg(), annaLeg()]) lab.follower.apply({ type: 'leg-seen', leg }, answeredAtMs)
  lab.follower.apply({ type: 'bridge', bridgeId: 'b1', channelIds: [annaLeg().channelId, trunkLeg().channelId] }, answeredAtMs)
  await lab.time.settle()
  const { call } = lab.follower.sessions()[0]!
  t.match(call, { answeredAtMs, recording: { faults: ['started-late'], gaps: [{ startedAtMs: answeredAtMs, reasons: ['lost'] }] } })
})
