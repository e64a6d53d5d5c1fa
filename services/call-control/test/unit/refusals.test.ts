import t from 'tap'
import { problem, type AuditEntry } from '@tacet/contracts'
import type { Principal } from '@tacet/service-kit'
import { recorderId } from '../../src/domain/call.ts'
import { createCommands, isReachable, statusOf } from '../../src/usecases/command-recording.ts'
import { annaLeg, callIdOf, createLab, leg, trunkLeg, type Lab } from '../support/lab.ts'
import { problemOf } from '../support/problems.ts'
import { agent, anna, asAgent, asMachine, asStranger, asSupervisor, ben, cleo, company, otherCompanyId, phoneNumber, type Settings } from '../support/rules.ts'

const unknownCall = 'f0000000-0000-4000-8000-000000000000'
const audits = ({ messages }: Lab) => messages().flatMap(({ type, data }) => type === 'audit.recorded' ? [data as AuditEntry] : [])

async function createAnswered (options: Settings = {}) {
  const lab = createLab(options)
  const session = await lab.answerCall()
  return { lab, session, callId: session.call.callId }
}

/** Anna calls Ben. */
async function createInternal (options: Settings = {}) {
  const lab = createLab(options)
  const legs = [annaLeg({ channelId: '1795419347.6', dialledNumber: '1002' }), leg({ channelId: '1795419347.7', endpoint: 'PJSIP/1002' })]
  for (const known of legs) lab.follower.apply({ type: 'leg-seen', leg: known })
  lab.follower.apply({ type: 'bridge', bridgeId: 'b', channelIds: legs.map(({ channelId }) => channelId) })
  await lab.time.settle()
  return { lab, callId: callIdOf('1795419347.6') }
}

for (const [level, settings] of Object.entries({
  company: { company: company({ agentInitiatedPause: 'deny' }) },
  number: { numbers: [phoneNumber('+442071838750', 'inherit', 'deny')] },
  agent: { agents: [agent(anna, { agentInitiatedPause: 'deny' })] },
} satisfies Record<string, Settings>)) {
  t.test(`an agent without access is refused, with the ${level} as the level that decided, and the attempt is in the audit log`, async t => {
    const { lab, callId } = await createAnswered(settings)
    for (const action of ['pause', 'resume'] as const) {
      t.match(await problemOf(lab.command(action, callId)), { code: 'pause-denied', status: 403, extra: { decidedBy: level } })
    }
    await lab.time.settle()
    t.match(audits(lab), [{ action: 'recording.pause', outcome: 'refused', code: 'pause-denied', effectiveAt: null, detail: { rule: { refusal: { decidedBy: level } } } }, { action: 'recording.resume', outcome: 'refused' }])
    t.equal(lab.follower.session(callId)?.call.recording.phase.status, 'recording')
    t.notOk(lab.driver.calls.some(({ name }) => name === 'stop'))
  })
}

t.test('on an internal call the refusal says nothing of a colleague\'s setting', async t => {
  const { lab, callId } = await createInternal({ agents: [agent(anna), agent(ben, { agentInitiatedPause: 'deny' })] })
  for (const principal of [asAgent(anna), asAgent(ben)]) {
    const refusal = await problemOf(lab.command('pause', callId, { principal }))
    t.match(refusal, { code: 'internal-peer-denied', status: 403 })
    t.equal(refusal.extra.decidedBy, undefined)
  }
})

t.test('on an internal call with access for both, either may pause and either may resume', async t => {
  const { lab, callId } = await createInternal()
  t.match(await lab.command('pause', callId, { principal: asAgent(ben) }), { state: 'paused' })
  const resume = lab.command('resume', callId, { principal: asAgent(anna) })
  await lab.time.advance(1000)
  t.match(await resume, { state: 'recording' })
})

t.test('supervisors and machines of the company are not bound by an agent\'s access', async t => {
  const { lab, callId } = await createAnswered({ company: company({ agentInitiatedPause: 'deny' }) })
  t.match(await lab.command('pause', callId, { principal: asSupervisor }), { reasons: ['supervisor'] })
  t.match(await lab.command('pause', callId, { principal: asMachine }), { reasons: ['machine', 'supervisor'] })
})

t.test('a call of others and a call that never was are the same to a stranger', async t => {
  const { lab, callId } = await createAnswered()
  const strangers: Principal[] = [asAgent(cleo), asStranger, { ...asAgent(anna), companyId: otherCompanyId }]
  for (const principal of strangers) {
    const [others, never] = [await problemOf(lab.command('pause', callId, { principal })), await problemOf(lab.command('pause', unknownCall, { principal }))]
    t.match(others, { code: 'call-not-found', status: 404 })
    t.same([others.code, others.message, others.extra], [never.code, never.message, never.extra])
  }
  t.ok(audits(lab).every(({ companyId, callId }) => callId === null && companyId !== null), 'the call\'s own log says nothing of it')
})

t.test('the operator reaches every company', async t => {
  const { lab, callId } = await createAnswered()
  t.match(await lab.command('pause', callId, { principal: { ...asSupervisor, companyId: null, roles: ['owner'] } }), { state: 'paused' })
})

t.test('an agent reaches a call while it rings for them, and not once a colleague has it', async t => {
  const lab = createLab()
  lab.follower.apply({ type: 'leg-seen', leg: trunkLeg({ stage: 'ringing' }) })
  lab.follower.apply({ type: 'leg-seen', leg: annaLeg({ stage: 'ringing' }) })
  lab.follower.apply({ type: 'leg-seen', leg: leg({ channelId: '1795419347.8', endpoint: 'PJSIP/1002', stage: 'ringing' }) })
  const callId = callIdOf(trunkLeg().channelId)
  const session = lab.follower.session(callId)!
  t.ok(isReachable(session.call, asAgent(ben)))
  t.match(await problemOf(lab.command('pause', callId, { principal: asAgent(ben) })), { code: 'call-not-answered', status: 409 })
  lab.follower.apply({ type: 'leg-gone', channelId: '1795419347.8' })
  await lab.answerCall()
  t.notOk(isReachable(session.call, asAgent(ben)))
  t.ok(isReachable(session.call, asAgent(anna)))
})

t.test('an agent who left a call that goes on reaches it no more, and again when it has ended', async t => {
  const { lab, session } = await createAnswered({ company: company({ transfers: 'continue' }) })
  lab.follower.apply({ type: 'transferred', kind: 'blind', byChannelIds: [annaLeg().channelId], to: '1002' })
  lab.follower.apply({ type: 'leg-gone', channelId: annaLeg().channelId })
  t.notOk(isReachable(session.call, asAgent(anna)))
  await lab.hangUp()
  t.ok(isReachable(session.call, asAgent(anna)))
  t.notOk(isReachable(session.call, asAgent(ben)))
})

t.test('a call that has ended is refused as such, also from the database alone', async t => {
  const { lab, callId } = await createAnswered()
  await lab.hangUp()
  await lab.time.advance(1000)
  t.match(await problemOf(lab.command('pause', callId)), { code: 'call-ended', status: 409 })
  await lab.time.settle()
  t.same(lab.follower.tick(() => false), [callId])
  t.equal(lab.follower.session(callId), undefined)
  t.match(await problemOf(lab.command('pause', callId)), { code: 'call-ended' })
  t.match(await problemOf(lab.command('pause', callId, { principal: asAgent(ben) })), { code: 'call-not-found' })
  lab.store.isDown = true
  t.match(await problemOf(lab.command('pause', callId)), { code: 'storage-unavailable', status: 503 })
})

t.test('a recording that a transfer ended is refused while its call goes on', async t => {
  const { lab, callId } = await createAnswered()
  lab.follower.apply({ type: 'transferred', kind: 'blind', byChannelIds: [annaLeg().channelId], to: '1002' })
  t.match(await problemOf(lab.command('resume', callId)), { code: 'recording-ended', status: 409 })
})

t.test('an Idempotency-Key repeated after a resume returns the stored answer and does nothing', async t => {
  const { lab, callId } = await createAnswered()
  const idempotencyKey = 'press-1'
  const first = await lab.command('pause', callId, { idempotencyKey })
  const resume = lab.command('resume', callId)
  await lab.time.advance(1000)
  await resume
  const [made, told] = [lab.driver.calls.length, lab.messages().length]
  t.same(await lab.command('pause', callId, { idempotencyKey }), first)
  await lab.time.settle()
  t.equal(lab.driver.calls.length, made)
  t.equal(lab.messages().length, told)
  t.equal(lab.follower.session(callId)?.call.recording.phase.status, 'recording')
  t.match(lab.store.database.answers, [{ idempotencyKey, callId, action: 'pause', answer: first }])
})

t.test('an Idempotency-Key is its credential\'s own, and for one request only', async t => {
  const { lab, callId } = await createAnswered()
  await lab.command('pause', callId, { idempotencyKey: 'k' })
  t.match(await problemOf(lab.command('resume', callId, { idempotencyKey: 'k' })), { code: 'idempotency-key-reused', status: 422 })
  t.match(await problemOf(lab.command('pause', unknownCall, { idempotencyKey: 'k' })), { code: 'idempotency-key-reused' })
  const resume = lab.command('resume', callId, { idempotencyKey: 'k', principal: { ...asAgent(anna), credentialId: 'e0000000-0000-4000-8000-00000000dddd' } })
  await lab.time.advance(1000)
  t.match(await resume, { state: 'recording' })
})

t.test('an answer given without the database is repeated as it was', async t => {
  const { lab, callId } = await createAnswered()
  lab.store.isDown = true
  const pause = lab.command('pause', callId, { idempotencyKey: 'k' })
  await lab.time.advance(2000)
  t.match(await pause, { durable: false })
  t.same(await lab.command('pause', callId, { idempotencyKey: 'k' }), await pause)
})

t.test('a refusal is not kept: the same key may succeed later', async t => {
  const { lab, callId } = await createAnswered()
  await lab.command('pause', callId)
  await lab.command('pause', callId, { principal: asSupervisor })
  t.match(await problemOf(lab.command('resume', callId, { principal: asSupervisor, idempotencyKey: 'k' })), { code: 'still-paused' })
  const [own, again] = [lab.command('resume', callId), lab.command('resume', callId, { principal: asSupervisor, idempotencyKey: 'k' })]
  await lab.time.advance(1000)
  t.match([await own, await again], [{ state: 'recording' }, { state: 'recording' }])
})

t.test('the status names the rule, the segments, and what the asker may do', async t => {
  const { lab, session } = await createAnswered({ company: company({ agentInitiatedPause: 'deny' }) })
  t.match(statusOf(session.call, asAgent(anna)), { state: 'recording', allowedActions: [], endReason: null, segments: [{ number: 1, closedAt: null }], recordingRule: { decidedBy: 'company', value: 'on', isLocked: false } })
  t.match(statusOf(session.call, asSupervisor), { allowedActions: ['pause'], recordingRule: null })
  await lab.command('pause', session.call.callId, { principal: asSupervisor })
  t.match(statusOf(session.call, asSupervisor), { state: 'paused', reasons: ['supervisor'], allowedActions: ['resume'], segments: [{ number: 1, closedAt: String }] })
  await lab.hangUp()
  t.match(statusOf(session.call, asSupervisor), { state: 'ended', endReason: 'hangup', allowedActions: [] })
  t.ok(recorderId(session.call, 1, 'in').endsWith('-1-in'))
})

t.test('a command for a call of others, or for none, is in the log of whoever asked, and looks the same there', async t => {
  const { lab, callId } = await createAnswered()
  for (const [principal, companyId] of [[asAgent(ben), asAgent(ben).companyId], [asStranger, otherCompanyId]] as const) {
    const before = audits(lab).length
    for (const id of [callId, unknownCall]) await problemOf(lab.command('pause', id, { principal, address: '192.0.2.7', device: 'phone' }))
    const entries = audits(lab).slice(before).map(({ detail: { commandId, ...detail }, auditId, ...entry }) => ({ ...entry, detail }))
    t.match(entries[0], { companyId, action: 'recording.pause', outcome: 'refused', code: 'call-not-found', effectiveAt: null, callId: null, actor: { credentialId: principal.credentialId, address: '192.0.2.7' }, detail: { callId, device: 'phone' } })
    t.same(entries[1], { ...entries[0], detail: { ...entries[0]?.detail, callId: unknownCall } })
  }
})

t.test('a refusal is answered, whether it can be stored or not', async t => {
  const { lab } = await createAnswered()
  lab.store.isDown = true
  t.match(await problemOf(lab.command('pause', unknownCall)), { status: 503 }, 'nobody knows whether there is such a call')
  lab.store.isDown = false
  lab.store.announce = async () => { throw new Error('gone meanwhile') }
  t.match(await problemOf(lab.command('pause', unknownCall)), { code: 'call-not-found' })
  t.match(lab.storeFailures, [{ name: 'StoreUnavailable' }, { message: 'gone meanwhile' }])
})

t.test('a command that nobody can carry out is in the log of whoever asked', async t => {
  const { lab, callId } = await createAnswered()
  const commands = createCommands({ clock: lab.time.now, lull: lab.lull, newId: lab.newId, store: lab.store, answers: lab.answers, session: () => { throw problem('standby') }, onIntentFailure: () => {}, onRefusalNotStored: () => {} })
  t.match(await problemOf(commands.execute({ action: 'resume', principal: asAgent(anna), callId, idempotencyKey: null, note: null, address: null, device: 'phone' })), { code: 'standby' })
  t.match(audits(lab).at(-1), { action: 'recording.resume', outcome: 'failed', code: 'standby', actor: { agentId: anna } })
})

t.test('a command that was under way when another instance took over is in the log too', async t => {
  const { lab, callId } = await createAnswered()
  lab.driver.faults.stopDelayMs = 300
  const pause = problemOf(lab.command('pause', callId))
  await lab.time.advance(100)
  lab.follower.close()
  t.match(await pause, { code: 'standby' })
  await lab.time.settle()
  t.match(audits(lab).at(-1), { action: 'recording.pause', outcome: 'failed', code: 'standby', callId })
})

t.test('with the database away nobody learns which calls of others exist, either', async t => {
  const lab = createLab()
  const { call: { callId } } = await lab.answerCall()
  lab.store.isDown = true
  for (const principal of [asAgent(ben), asStranger]) {
    const [ofOthers, unknown] = await Promise.all([callId, unknownCall].map(async id => await problemOf(lab.command('pause', id, { principal }))))
    t.match(ofOthers, { code: 'storage-unavailable', status: 503 })
    t.same({ ...ofOthers, cause: undefined }, { ...unknown, cause: undefined })
    t.same(lab.follower.session(callId)?.call.recording.reasons, [])
  }
  t.match(await lab.commands.find({ principal: asAgent(anna), callId }), { callId }, 'whose it is needs no database')
})
