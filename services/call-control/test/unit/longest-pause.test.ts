import t from 'tap'
import fc from 'fast-check'
import type { AuditEntry, Company } from '@tacet/contracts'
import { evolve } from '../../src/domain/call-machine.ts'
import { statusOf } from '../../src/usecases/command-recording.ts'
import { passTime } from '../../src/usecases/pass-time.ts'
import { createHttpLab, tokens } from '../support/http.ts'
import { reconcile, succeed, talking } from '../support/instance.ts'
import { createLab, type Lab } from '../support/lab.ts'
import { anna, asAgent, asSupervisor, company } from '../support/rules.ts'

const minuteMs = 60_000
const wish = (afterLongestPause: Company['afterLongestPause']) => company({ longestPauseMs: minuteMs, afterLongestPause })
const failures: unknown[] = []

/** Lets time pass with the look at the clock that the service has every second. */
async function pass (lab: Lab, ms: number): Promise<void> {
  for (let passedMs = 0; passedMs < ms; passedMs += 1000) {
    await lab.time.advance(1000)
    passTime(lab.follower.sessions(), { clock: lab.time.now, newId: lab.newId, onError: error => failures.push(error) })
    await lab.time.settle()
  }
  await lab.time.advance(500)
}

const audits = ({ messages }: Lab) => messages().flatMap(({ type, data }) => type === 'audit.recorded' ? [data as AuditEntry] : [])
const count = (lab: Lab, type: string) => lab.eventTypes().filter(other => other === type).length

async function createPaused (afterLongestPause: Company['afterLongestPause'], principal = asAgent(anna)) {
  const lab = createLab({ company: wish(afterLongestPause) })
  const { call: { callId } } = await lab.answerCall()
  await lab.command('pause', callId, { principal })
  const call = () => lab.follower.session(callId)!.call
  return { lab, callId, call }
}

t.test('a company without a wish lets a pause last', async t => {
  const { lab, call } = await createPaused('none')
  await pass(lab, 5 * minuteMs)
  t.match(call().recording, { phase: { status: 'paused' }, reasons: ['agent'] })
  t.equal(statusOf(call(), asAgent(anna)).isPauseOverdue, false)
})

t.test('a reminder comes when the pause has lasted too long, and again each time it has lasted as long', async t => {
  const { lab, call } = await createPaused('remind')
  await pass(lab, minuteMs - 2000)
  t.equal(count(lab, 'recording.pause-overdue'), 0)
  t.equal(statusOf(call(), asAgent(anna)).isPauseOverdue, false)
  await pass(lab, 3000)
  t.equal(count(lab, 'recording.pause-overdue'), 1)
  t.match(lab.messages().at(-1)?.data, { state: 'paused', reasons: ['agent'], longestPauseMs: minuteMs, pausedSince: '2026-11-23T09:00:00.000Z', seq: call().seq })
  t.match(statusOf(call(), asAgent(anna)), { isPauseOverdue: true, seq: call().seq })
  await pass(lab, 2 * minuteMs)
  t.equal(count(lab, 'recording.pause-overdue'), 3)
  t.match(call().recording.phase, { status: 'paused' })
})

t.test('the clock begins anew with each pause', async t => {
  const { lab, callId, call } = await createPaused('remind')
  await pass(lab, minuteMs - 10_000)
  const resume = lab.command('resume', callId)
  await lab.time.advance(1000)
  await resume
  await lab.command('pause', callId)
  await pass(lab, minuteMs - 5000)
  t.equal(count(lab, 'recording.pause-overdue'), 0)
  await pass(lab, 6000)
  t.equal(count(lab, 'recording.pause-overdue'), 1)
  const again = lab.command('resume', callId)
  await lab.time.advance(1000)
  await again
  t.equal(statusOf(call(), asAgent(anna)).isPauseOverdue, false)
})

t.test('a phone shows that the pause lasts too long', async t => {
  const { lab, send } = await createHttpLab(t, { company: wish('remind') })
  await lab.answerCall()
  const show = async (key: string) => (await send({ url: `/phone/v1/${tokens.annasPhone}/${key}` })).text
  t.equal(await show('pause'), 'Recording paused\n')
  await pass(lab, minuteMs + 1000)
  t.equal(await show('status'), 'Recording STILL paused\n')
  t.match((await send({ url: '/v1/calls', token: tokens.anna })).body.items[0].recording, { isPauseOverdue: true })
})

t.test('a pause that lasts too long ends by itself, and the audit log has it as a machine\'s', async t => {
  const { lab, callId, call } = await createPaused('resume')
  await pass(lab, minuteMs - 2000)
  t.match(call().recording.phase, { status: 'paused' })
  await pass(lab, 3000)
  t.match(call().recording, { phase: { status: 'recording', segment: { number: 2 } }, reasons: [] })
  t.match(lab.messages().findLast(({ type }) => type === 'recording.resumed')?.data, { by: { kind: 'machine', agentId: null } })
  t.match(audits(lab).at(-1), {
    action: 'recording.resume',
    outcome: 'done',
    callId,
    actor: { kind: 'machine', agentId: null, credentialId: null },
    effectiveAt: String,
    detail: { device: 'longest-pause', longestPauseMs: minuteMs, pausedSince: '2026-11-23T09:00:00.000Z' },
  })
  t.equal(call().longPause, null)
})

t.test('only the agent\'s reason is lifted: a supervisor\'s stays', async t => {
  const { lab, callId, call } = await createPaused('resume')
  await lab.command('pause', callId, { principal: asSupervisor })
  await pass(lab, minuteMs + 1000)
  t.match(call().recording, { phase: { status: 'paused' }, reasons: ['supervisor'] })
  t.match(audits(lab).at(-1), { action: 'recording.resume', outcome: 'refused', code: 'still-paused', actor: { kind: 'machine' } })
  const starts = lab.driver.calls.filter(({ name }) => name === 'start').length
  await pass(lab, 5 * minuteMs)
  t.equal(lab.driver.calls.filter(({ name }) => name === 'start').length, starts)
})

t.test('a pause that no agent made has no longest', async t => {
  const { lab, call } = await createPaused('resume', asSupervisor)
  await pass(lab, 5 * minuteMs)
  t.match(call().recording, { phase: { status: 'paused' }, reasons: ['supervisor'] })
})

t.test('the clock outlives its process: the successor resumes when the time has come, not before', async t => {
  const { lab, callId } = await createPaused('resume')
  await pass(lab, 20_000)
  const next = succeed({ time: lab.time, driver: lab.driver, database: lab.store.database })
  await reconcile(next, talking)
  const phase = () => next.follower.session(callId)?.call.recording.phase.status
  await pass(next, 35_000)
  t.equal(phase(), 'paused')
  await pass(next, 6000)
  t.equal(phase(), 'recording')
})

t.test('what became due while nobody was there is done by whoever comes', async t => {
  const { lab, callId } = await createPaused('resume')
  await lab.time.advance(5 * minuteMs)
  const next = succeed({ time: lab.time, driver: lab.driver, database: lab.store.database })
  await reconcile(next, talking)
  t.equal(next.follower.session(callId)?.call.recording.phase.status, 'paused', 'the recovery itself lifts nothing')
  await pass(next, 1000)
  t.equal(next.follower.session(callId)?.call.recording.phase.status, 'recording')
})

t.test('without the database it stays paused, and is tried again', async t => {
  const { lab, call } = await createPaused('resume')
  lab.store.isDown = true
  await pass(lab, minuteMs + 5000)
  t.match(call().recording, { phase: { status: 'paused' }, reasons: ['agent'] })
  lab.store.isDown = false
  await pass(lab, 11_000)
  t.match(call().recording, { phase: { status: 'recording' }, reasons: [] })
})

t.test('an agent who pauses again meanwhile wins', async t => {
  const { lab, callId, call } = await createPaused('resume')
  await lab.time.advance(minuteMs)
  passTime(lab.follower.sessions(), { clock: lab.time.now, newId: lab.newId, onError: () => {} })
  t.match(call().recording.phase, { status: 'resuming' })
  await lab.command('pause', callId)
  t.match(call().recording, { phase: { status: 'paused' }, reasons: ['agent'] })
})

t.test('time alone changes nothing before it is due, whatever came before', async t => {
  const { call } = await createPaused('resume')
  fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: minuteMs - 1 }), { maxLength: 20 }), offsets => {
    let state = call()
    for (const offset of offsets) state = evolve(state, { type: 'time-passed', atMs: state.longPause!.sinceMs + offset, commandId: anna }).call
    return state === call()
  }))
  const due = evolve(call(), { type: 'time-passed', atMs: call().longPause!.dueAtMs, commandId: anna })
  t.match(due.effects, [{ type: 'start-recorder', isGuarded: true, cause: { commandId: anna, by: { kind: 'machine' } } }])
})
