import t, { type Test } from 'tap'
import { commandAnswerSchema } from '@tacet/contracts'
import { createHttpLab, tokens } from '../support/http.ts'
import { annaLeg, callIdOf, trunkLeg, type Lab } from '../support/lab.ts'
import { company, everywhere } from '../support/rules.ts'

async function createPhone (t: Test, options: Parameters<typeof createHttpLab>[1] = {}) {
  const { lab, send } = await createHttpLab(t, options)
  const press = (key: string, { token = tokens.annasPhone, query = '', json = false } = {}) =>
    send({ url: `/phone/v1/${token}/${key}${query}`, ...(json && { headers: { accept: 'application/json' } }) })
  return { lab, press }
}

/** A second inbound call for Anna. */
async function answerSecond (lab: Lab): Promise<void> {
  const legs = [trunkLeg({ channelId: '1795419360.1', linkedId: '1795419360.1', sipCallId: 'second' }), annaLeg({ channelId: '1795419360.2', linkedId: '1795419360.1' })]
  for (const leg of legs) lab.follower.apply({ type: 'leg-seen', leg })
  lab.follower.apply({ type: 'bridge', bridgeId: 'b2', channelIds: legs.map(({ channelId }) => channelId) })
  await lab.time.settle()
}

t.test('a phone pauses, resumes and asks by GET, and reads a sentence', async t => {
  const { lab, press } = await createPhone(t)
  await lab.answerCall()
  for (const [key, sentence] of [['status', 'Recording\n'], ['pause', 'Recording paused\n'], ['status', 'Recording paused\n'], ['resume', 'Recording\n'], ['stop', 'Recording paused\n'], ['start', 'Recording\n']] as const) {
    const { status, headers, text } = await press(key)
    t.same([status, text], [200, sentence], key)
    t.match(headers['content-type'], 'text/plain')
  }
})

t.test('no answer to a phone is kept by anything between', async t => {
  const { lab, press } = await createPhone(t)
  t.match(await press('status'), { status: 404, headers: { 'cache-control': 'no-store' } })
  await lab.answerCall()
  for (const key of ['status', 'pause', 'pause', 'toggle']) t.match(await press(key), { status: 200, headers: { 'cache-control': 'no-store' } }, key)
  t.match(await press('pause', { token: 'x'.repeat(32) }), { status: 401, headers: { 'cache-control': 'no-store' } })
})

t.test('whoever asks for JSON gets the same as from the API', async t => {
  const { lab, press } = await createPhone(t)
  const { call: { callId } } = await lab.answerCall()
  t.match(commandAnswerSchema.parse((await press('pause', { json: true })).body), { callId, state: 'paused', reasons: ['agent'], durable: true })
  t.match(commandAnswerSchema.parse((await press('status', { json: true })).body), { callId, state: 'paused', allowedActions: ['resume'] })
})

t.test('an agent without access is offered nothing', async t => {
  const { lab, press } = await createPhone(t, { company: company({ agentInitiatedPause: 'deny' }) })
  await lab.answerCall()
  t.match((await press('status', { json: true })).body, { state: 'recording', allowedActions: [] })
})

t.test('a call that is off says so', async t => {
  const { lab, press } = await createPhone(t, { company: company({ recording: everywhere('off') }) })
  await lab.answerCall()
  t.equal((await press('status')).text, 'Not recording\n')
})

t.test('a toggle pressed twice in haste stays paused; a while later it resumes', async t => {
  const { lab, press } = await createPhone(t)
  await lab.answerCall()
  t.equal((await press('toggle')).text, 'Recording paused\n')
  await lab.time.advance(1000)
  t.equal((await press('toggle')).text, 'Recording paused\n')
  t.equal((await press('toggle')).text, 'Recording paused\n')
  await lab.time.advance(2000)
  t.equal((await press('toggle')).text, 'Recording\n')
  t.equal((await press('toggle')).text, 'Recording paused\n', 'a pause is never held back')
})

t.test('a toggle while a pause is unconfirmed changes nothing and says so', async t => {
  const { lab, press } = await createPhone(t)
  const { call: { callId } } = await lab.answerCall()
  lab.driver.faults.loseStopProof = true
  t.match(await press('pause'), { status: 503, body: { code: 'pause-unconfirmed' } })
  t.match(await press('toggle'), { status: 503, body: { code: 'pause-unconfirmed' } })
  t.equal((await press('status')).text, 'NOT SURE: the recording may go on\n')
  t.same(lab.follower.session(callId)?.call.recording.reasons, ['agent'])
})

t.test('a phone in no call, and one whose agent is in none, are told so', async t => {
  const { lab, press } = await createPhone(t)
  t.match(await press('pause'), { status: 404, body: { code: 'no-live-call' } })
  await lab.answerCall()
  t.match(await press('pause', { token: tokens.bensPhone }), { status: 404, body: { code: 'no-live-call' } })
  await lab.hangUp()
  t.match(await press('status'), { status: 404, body: { code: 'no-live-call' } })
})

t.test('of several calls the phone names one, by its SIP Call-ID, or means the one that is not on hold', async t => {
  const { lab, press } = await createPhone(t)
  const { call: { callId } } = await lab.answerCall()
  await answerSecond(lab)
  t.match(await press('pause'), { status: 409, body: { code: 'ambiguous-call' } })
  t.match((await press('pause', { query: '?callId=second', json: true })).body, { callId: callIdOf('1795419360.1'), state: 'paused' })
  lab.follower.apply({ type: 'held', leg: annaLeg() })
  t.match((await press('status', { json: true })).body, { callId: callIdOf('1795419360.1') })
  lab.follower.apply({ type: 'unheld', leg: annaLeg() })
  t.match((await press('status', { query: '?callId=trunk-sip', json: true })).body, { callId })
  t.match(await press('status', { query: '?callId=nobody' }), { status: 404, body: { code: 'no-live-call' } })
})

t.test('a wrong device token, an API token and a malformed one are refused', async t => {
  const { lab, press } = await createPhone(t)
  await lab.answerCall()
  t.match(await press('pause', { token: 'wrong-0123456789abcdefghijk' }), { status: 401, body: { code: 'unauthenticated' } })
  t.match(await press('pause', { token: tokens.anna }), { status: 401 })
  t.match(await press('pause', { token: 'short' }), { status: 400, body: { errors: [{ field: 'deviceToken' }] } })
  t.match(await press('explode'), { status: 400, body: { errors: [{ field: 'key' }] } })
})

t.test('an agent without access is refused on the phone too', async t => {
  const { lab, press } = await createPhone(t, { company: company({ agentInitiatedPause: 'deny' }) })
  await lab.answerCall()
  t.match(await press('pause'), { status: 403, body: { code: 'pause-denied', decidedBy: 'company' } })
  t.match(await press('toggle'), { status: 403 })
})

t.test('where the press came from is in the audit log', async t => {
  const { lab, press } = await createPhone(t)
  await lab.answerCall()
  await press('pause')
  t.match(lab.messages().find(({ type }) => type === 'audit.recorded')?.data, { actor: { address: '127.0.0.1', device: { kind: 'device-token', label: null, userAgent: 'lightMyRequest' } }, detail: { device: 'phone' } })
})
