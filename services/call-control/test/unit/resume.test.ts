import t from 'tap'
import { recorderId } from '../../src/domain/call.ts'
import { commitTimeoutMs, createLab, timings, type Lab } from '../support/lab.ts'
import { problemOf, watchPromise } from '../support/problems.ts'
import { asMachine, asSupervisor, company, everywhere } from '../support/rules.ts'

const starts = ({ driver }: Lab) => driver.calls.flatMap(call => call.name === 'start' ? [call.recorderId] : [])
const recordingNow = async ({ driver }: Lab) => (await driver.list()).filter(({ state }) => state === 'recording').map(({ recorderId }) => recorderId)
const phaseOf = ({ follower }: Lab, callId: string) => follower.session(callId)?.call.recording.phase.status

async function createPaused () {
  const lab = createLab()
  const { call } = await lab.answerCall()
  await lab.command('pause', call.callId)
  await lab.time.advance(1000)
  return { lab, callId: call.callId, recorder: (segment: number) => recorderId(call, segment, 'mix') }
}

t.test('a resume waits for its guard, then starts a fresh recorder, and is answered when that runs', async t => {
  const { lab, callId, recorder } = await createPaused()
  lab.driver.faults.startDelayMs = 20
  const resume = lab.command('resume', callId)
  const answer = watchPromise(resume)
  await lab.time.advance(timings.resumeGuardMs - 1)
  t.same(starts(lab), [recorder(1)], 'speech still under way stays out')
  await lab.time.advance(1)
  t.same(starts(lab), [recorder(1), recorder(2)])
  t.notOk(answer.isSettled)
  await lab.time.advance(20)
  t.match(await resume, { state: 'recording', reasons: [], durable: true, allowedActions: ['pause'] })
  t.same(await recordingNow(lab), [recorder(2)])
  t.same(lab.eventTypes().slice(-3), ['segment.opened', 'recording.resumed', 'audit.recorded'])
})

t.test('the reservation is stored before the recorder is made', async t => {
  const { lab, callId } = await createPaused()
  lab.store.gate = Promise.withResolvers<void>().promise
  const refused = problemOf(lab.command('resume', callId))
  await lab.time.advance(timings.resumeGuardMs + 100)
  t.equal(starts(lab).length, 1)
  await lab.time.advance(commitTimeoutMs)
  await lab.time.advance(commitTimeoutMs)
  t.match(await refused, { code: 'storage-unavailable' })
})

t.test('without the database a resume is refused, it stays paused, and no recorder starts later', async t => {
  const { lab, callId } = await createPaused()
  lab.store.isDown = true
  const refused = problemOf(lab.command('resume', callId))
  await lab.time.advance(commitTimeoutMs)
  t.match(await refused, { code: 'storage-unavailable', status: 503 })
  t.equal(phaseOf(lab, callId), 'paused')
  lab.store.isDown = false
  await lab.time.advance(60_000)
  t.equal(starts(lab).length, 1)
  t.equal(phaseOf(lab, callId), 'paused')
  t.match(lab.store.database.calls.get(callId)?.call.recording, { phase: { status: 'paused' }, reasons: ['agent'], nextSegment: 3 })
})

t.test('a recorder that runs though the database went away meanwhile is told as not certain', async t => {
  const { lab, callId } = await createPaused()
  const refused = problemOf(lab.command('resume', callId))
  await lab.time.settle()
  lab.store.isDown = true
  await lab.time.advance(timings.resumeGuardMs + commitTimeoutMs)
  t.match(await refused, { code: 'storage-unavailable' })
  t.equal(phaseOf(lab, callId), 'recording')
})

t.test('a pause pre-empts a resume in its guard: no recorder is made at all', async t => {
  const { lab, callId } = await createPaused()
  const refused = problemOf(lab.command('resume', callId))
  await lab.time.advance(timings.resumeGuardMs / 2)
  const answer = await lab.command('pause', callId)
  t.match(answer, { state: 'paused', reasons: ['agent'] })
  t.match(await refused, { code: 'superseded-by-pause', status: 409 })
  await lab.time.advance(10_000)
  t.equal(starts(lab).length, 1)
  t.same(await recordingNow(lab), [])
})

t.test('a pause pre-empts a resume whose recorder is being made', async t => {
  const { lab, callId } = await createPaused()
  lab.driver.faults.startDelayMs = 500
  const refused = problemOf(lab.command('resume', callId))
  await lab.time.advance(timings.resumeGuardMs + 100)
  t.equal(starts(lab).length, 2)
  t.match(await lab.command('pause', callId), { state: 'paused' })
  t.match(await refused, { code: 'superseded-by-pause' })
  await lab.time.advance(10_000)
  t.same(await recordingNow(lab), [])
  t.equal(phaseOf(lab, callId), 'paused')
})

t.test('a resume asked for while the pause is under way waits for its proof, and then resumes', async t => {
  const lab = createLab()
  const { call: { callId } } = await lab.answerCall()
  lab.driver.faults.stopDelayMs = 300
  const pause = lab.command('pause', callId)
  await lab.time.advance(100)
  const resume = lab.command('resume', callId)
  await lab.time.advance(1000)
  t.match(await pause, { state: 'paused' })
  t.match(await resume, { state: 'recording' })
})

t.test('pause, resume, pause in quick succession stays paused, and nobody is told otherwise', async t => {
  const lab = createLab()
  const { call: { callId } } = await lab.answerCall()
  lab.driver.faults.stopDelayMs = 300
  const first = lab.command('pause', callId)
  await lab.time.advance(100)
  const resume = problemOf(lab.command('resume', callId))
  await lab.time.advance(100)
  const last = lab.command('pause', callId)
  await lab.time.advance(10_000)
  t.match(await first, { state: 'paused' })
  t.match(await resume, { code: 'superseded-by-pause' })
  t.match(await last, { state: 'paused' })
  t.equal(phaseOf(lab, callId), 'paused')
  t.equal(starts(lab).length, 1)
})

t.test('a pause that comes while a resume waits for the database is not lifted by it', async t => {
  const { lab, callId } = await createPaused()
  lab.store.isDown = true
  const earlier = lab.command('pause', callId, { note: 'gives the journal work' })
  await lab.time.settle()
  const resume = problemOf(lab.command('resume', callId))
  await lab.time.advance(commitTimeoutMs / 2)
  const pause = lab.command('pause', callId)
  lab.store.isDown = false
  await lab.time.advance(10_000)
  t.match([await earlier, await pause], [{ state: 'paused' }, { state: 'paused' }])
  t.match(await resume, { code: 'superseded-by-pause' })
  t.match(lab.messages().filter(({ type }) => type === 'audit.recorded').map(({ data }) => data).filter((entry: any) => entry.action === 'recording.resume'), [{ outcome: 'refused', code: 'superseded-by-pause' }], 'and the audit log says so')
  t.equal(phaseOf(lab, callId), 'paused')
})

t.test('a start by the rules that fails is tried again with a fresh number, and alarms after the last', async t => {
  const lab = createLab()
  lab.driver.faults.refuseStart = 'unavailable'
  const { call } = await lab.answerCall()
  for (let attempt = 0; attempt < 10; attempt += 1) await lab.time.advance(timings.retryDelayMs)
  t.same(starts(lab), [1, 2, 3, 4, 5].map(segment => recorderId(call, segment, 'mix')))
  t.equal(phaseOf(lab, call.callId), 'off')
  t.equal(lab.eventTypes().filter(type => type === 'recording.missing').length, 1)
  lab.driver.faults.refuseStart = undefined
  const resume = lab.command('resume', call.callId)
  await lab.time.advance(1000)
  t.match(await resume, { state: 'recording' })
  t.same(starts(lab).at(-1), recorderId(call, 6, 'mix'))
})

t.test('a start by the rules that fails once records in its second segment', async t => {
  const lab = createLab()
  lab.driver.faults.refuseStart = 'unavailable'
  const { call } = await lab.answerCall()
  lab.driver.faults.refuseStart = undefined
  await lab.time.advance(timings.retryDelayMs)
  t.same(await recordingNow(lab), [recorderId(call, 2, 'mix')])
  t.match(lab.follower.session(call.callId)?.call.recording.gaps, [{ reasons: ['lost'], endedAtMs: Number }])
})

t.test('a start by the rules waits for the database, however long', async t => {
  const lab = createLab()
  lab.store.isDown = true
  const { call } = await lab.answerCall()
  await lab.time.advance(30_000)
  t.same(starts(lab), [])
  lab.store.isDown = false
  await lab.time.advance(2000)
  t.same(await recordingNow(lab), [recorderId(call, 1, 'mix')])
  t.match(lab.follower.session(call.callId)?.call.recording.gaps, [{ reasons: ['lost'] }])
})

t.test('a resume whose recorder does not start leaves it paused', async t => {
  const { lab, callId } = await createPaused()
  lab.driver.faults.refuseStart = 'unavailable'
  const refused = problemOf(lab.command('resume', callId))
  await lab.time.advance(timings.resumeGuardMs)
  t.match(await refused, { code: 'recorder-failed', status: 503 })
  t.equal(phaseOf(lab, callId), 'paused')
})

t.test('a resume whose recorder may run all the same is unconfirmed, stopped, and then paused', async t => {
  const { lab, callId } = await createPaused()
  Object.assign(lab.driver.faults, { loseStartProof: true, loseStopProof: true })
  const refused = problemOf(lab.command('resume', callId))
  await lab.time.advance(timings.resumeGuardMs + timings.stopTimeoutMs)
  t.match(await refused, { code: 'pause-unconfirmed', status: 503 })
  t.equal(phaseOf(lab, callId), 'unconfirmed')
  t.ok(lab.eventTypes().includes('recording.unconfirmed'))
  Object.assign(lab.driver.faults, { loseStartProof: false, loseStopProof: false })
  await lab.time.advance(10_000)
  t.equal(phaseOf(lab, callId), 'paused')
  t.same(await recordingNow(lab), [])
})

t.test('an agent may start what the rules had off, and stop it again', async t => {
  const lab = createLab({ company: company({ recording: everywhere('off') }) })
  const { call: { callId } } = await lab.answerCall()
  t.equal(phaseOf(lab, callId), 'off')
  t.match(await lab.command('pause', callId), { state: 'off' })
  const start = lab.command('resume', callId)
  await lab.time.advance(1000)
  t.match(await start, { state: 'recording' })
  t.ok(lab.eventTypes().includes('recording.started'))
  t.match(await lab.command('pause', callId), { state: 'paused' })
})

t.test('a first start by an agent waits for the guard, as a resume does, and no longer', async t => {
  const lab = createLab({ company: company({ recording: everywhere('off') }) })
  const { call } = await lab.answerCall()
  const start = lab.command('resume', call.callId)
  await lab.time.advance(timings.resumeGuardMs - 1)
  t.same(starts(lab), [], 'what was under way when they pressed stays out')
  await lab.time.advance(1)
  t.same(await recordingNow(lab), [recorderId(call, 1, 'mix')])
  t.match(await start, { state: 'recording' })
})

t.test('a first start by an agent that fails is not tried again: they were told', async t => {
  const lab = createLab({ company: company({ recording: everywhere('off') }) })
  const { call } = await lab.answerCall()
  lab.driver.faults.refuseStart = 'unavailable'
  const refused = problemOf(lab.command('resume', call.callId))
  await lab.time.advance(5000)
  t.match(await refused, { code: 'recorder-failed' })
  t.equal(starts(lab).length, 1)
  t.equal(phaseOf(lab, call.callId), 'off')
})

t.test('a start by an agent that could not be stored stays off', async t => {
  const lab = createLab({ company: company({ recording: everywhere('off') }) })
  const { call: { callId } } = await lab.answerCall()
  lab.store.gate = Promise.withResolvers<void>().promise
  const refused = problemOf(lab.command('resume', callId))
  await lab.time.advance(2 * commitTimeoutMs)
  t.match(await refused, { code: 'storage-unavailable' })
  t.equal(phaseOf(lab, callId), 'off')
  t.same(starts(lab), [])
})

t.test('each silence is lifted by its own kind only', async t => {
  const { lab, callId } = await createPaused()
  t.match(await lab.command('pause', callId, { principal: asSupervisor }), { state: 'paused', reasons: ['agent', 'supervisor'] })
  t.match(await problemOf(lab.command('resume', callId, { principal: asMachine })), { code: 'still-paused', extra: { reasons: ['agent', 'supervisor'] } })
  t.match(await problemOf(lab.command('resume', callId)), { code: 'still-paused', status: 409, extra: { reasons: ['supervisor'] } })
  const resume = lab.command('resume', callId, { principal: asSupervisor })
  await lab.time.advance(1000)
  t.match(await resume, { state: 'recording', reasons: [] })
})

t.test('a resume of what records is answered at once', async t => {
  const lab = createLab()
  const { call: { callId } } = await lab.answerCall()
  t.match(await lab.command('resume', callId), { state: 'recording' })
  t.equal(starts(lab).length, 1)
})
