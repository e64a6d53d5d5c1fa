import t from 'tap'
import { createProxy, eventually, readStack } from '@tacet/test-kit'
import { detourEnv } from '../support/detour.ts'
import { customerNumber, numbers, openOffice } from '../support/office.ts'
import { checkUnrecorded, proofOf } from '../support/proof.ts'
import { createTalk, findLive, newSignal, nowMs, receiveCall, speak, voiceOf, type Talk } from '../support/talk.ts'
import { startTacet } from '../support/tacet.ts'

t.setTimeout(180_000)
const [host = '', port = ''] = (readStack().kafka.brokers[0] ?? '').split(':')
const cable = await createProxy(t, { host, port: Number(port) })
const tacet = await startTacet(t, { env: detourEnv({ [port]: cable.port }) })
const office = await openOffice(t, tacet)
const [anna] = tacet.agents
const company = `/v1/companies/${tacet.companyId}`
const patch = async (path: string, body: object) => {
  const { status } = await tacet.settings(path, { method: 'PATCH', body, headers: { 'content-type': 'application/merge-patch+json' } })
  if (status !== 200) throw new Error(`not changed: ${status}`)
}
const everywhere = (value: string) => ({ inbound: value, outbound: value, internal: value })

interface CopyState { isOk: boolean, state: string, isConnected: boolean, ageMs: number }
const readiness = async () => {
  const answer = await fetch(`${tacet.services['call-control'].adminUrl}/ready`)
  const { checks } = await answer.json() as { checks: { settings: CopyState, credentials: CopyState } }
  return { status: answer.status, ...checks }
}

/** A customer's call that Anna answers when she is told to. */
async function answerCallAt (atMs: number): Promise<Talk> {
  const [customerSignal, agentSignal] = [newSignal('customer'), newSignal('anna')]
  const outgoing = await office.outside.call(numbers.direct, { callerId: { number: customerNumber }, audio: customerSignal })
  const incoming = await office.desks[0].waitForCall()
  await eventually(() => nowMs() >= atMs)
  await incoming.answer({ audio: agentSignal })
  await outgoing.answered()
  const { callId } = await findLive(tacet, incoming.sipCallId)
  return createTalk(tacet, { callId, voices: [voiceOf(customerSignal, outgoing), voiceOf(agentSignal, incoming)], token: anna.token })
}

t.test('a change applies to the call that is answered two seconds later', async t => {
  await Promise.all([patch(company, { recording: everywhere('off') }), patch(`${company}/agents/${anna.agentId}`, { agentInitiatedPause: 'deny' })])
  const talk = await answerCallAt(nowMs() + 2_000)
  t.match(await talk.status(), { state: 'off', allowedActions: [], recordingRule: { value: 'off', decidedBy: 'company' } })
  t.match((await talk.send('start')).problem(), { status: 403, code: 'pause-denied', decidedBy: 'agent' })
  await talk.hangup()
  await checkUnrecorded(t, tacet, talk)

  await Promise.all([patch(company, { recording: everywhere('on') }), patch(`${company}/agents/${anna.agentId}`, { agentInitiatedPause: 'inherit' })])
  const next = await answerCallAt(nowMs() + 2_000)
  await next.isRecorded()
  await next.pause()
  await next.hangup()
})

t.test('a key that is revoked opens nothing any more, anywhere, five seconds later', async t => {
  const { body: { token, credentialId } } = await tacet.settings(`${company}/credentials`, { body: { label: 'short-lived', kind: 'api-token', roles: ['supervisor'] } })
  const { body: { token: jwt } } = await tacet.settings('/v1/tokens', { method: 'POST', token })
  const doors = [['call-control', tacet.callControl, '/v1/calls'], ['recording-assembly', tacet.assembly, '/v1/recordings'], ['settings', tacet.settings, company]] as const
  for (const key of [token, jwt]) {
    for (const [name, ask, path] of doors) await eventually(async () => (await ask(path, { token: key })).status === 200, { message: `not known to ${name}`, timeoutMs: 20_000 })
  }
  await tacet.settings(`${company}/credentials/${credentialId}`, { method: 'DELETE' })
  const revokedAtMs = nowMs()
  for (const key of [token, jwt]) {
    for (const [name, ask, path] of doors) {
      await eventually(async () => (await ask(path, { token: key })).status === 401, { message: `${name} still lets it in`, timeoutMs: 5_000 })
    }
  }
  t.ok(nowMs() - revokedAtMs < 5_000)
})

t.test('so does a phone whose token is revoked, and every key of an agent who is deleted', async t => {
  const made = async (path: string, body: object) => (await tacet.settings(path, { body })).body
  const { agentId } = await made(`${company}/agents`, { name: 'Short-lived' })
  const key = (kind: string) => made(`${company}/credentials`, { kind, agentId, roles: ['agent'] })
  const [phone, otherPhone, api] = [await key('device-token'), await key('device-token'), await key('api-token')]
  const atPhone = (token: string) => async () => (await tacet.callControl(`/phone/v1/${token}/status`)).status
  const doors = [atPhone(phone.token), atPhone(otherPhone.token), ...[tacet.callControl, tacet.assembly].map((ask, index) => async () => (await ask(index === 0 ? '/v1/calls' : '/v1/recordings', { token: api.token })).status)]
  const become = async (statusOf: () => Promise<number>, status: number, timeoutMs: number) => await eventually(async () => await statusOf() === status, { message: `not ${status}`, timeoutMs })
  // A phone that is known has no call.
  for (const [index, statusOf] of doors.entries()) await become(statusOf, index < 2 ? 404 : 200, 20_000)

  const shut = async (path: string, doors: (() => Promise<number>)[]) => {
    await tacet.settings(path, { method: 'DELETE' })
    const atMs = nowMs()
    for (const statusOf of doors) await become(statusOf, 401, 5_000)
    t.ok(nowMs() - atMs < 5_000)
  }
  await shut(`${company}/credentials/${phone.credentialId}`, doors.slice(0, 1))
  await shut(`${company}/agents/${agentId}`, doors.slice(1))
})

t.test('without settings and Kafka calls go by the last copy, also after a restart, and readiness says how old it is', async t => {
  await tacet.services.settings.kill('SIGKILL')
  await cable.cut()
  const cutAtMs = Date.now()
  const cutOff = await eventually(async () => {
    const state = await readiness()
    return state.settings.ageMs > 3_000 && state
  }, { timeoutMs: 20_000, message: 'the age of the copy does not grow' })
  t.match(cutOff, { status: 200, settings: { isOk: true, state: 'current' }, credentials: { isOk: true } })
  t.ok(cutOff.settings.ageMs <= Date.now() - cutAtMs + 2_000, `${cutOff.settings.ageMs} ms old`)
  const talk = await receiveCall(office)
  await talk.isRecorded()
  await speak(talk.voices, 300)
  await talk.pause()

  await tacet.services['call-control'].kill('SIGKILL')
  await tacet.start('call-control')
  t.match(await readiness(), { status: 200, settings: { isOk: true, state: 'stored', isConnected: false }, credentials: { state: 'stored' } })
  t.match(await talk.status(), { state: 'paused', reasons: ['agent'] })
  const next = await receiveCall(office, { number: numbers.queue, desk: 1 })
  await next.isRecorded()
  await speak(next.voices, 300)
  await next.pause()
  await talk.resume()
  await speak(talk.voices, 300)
  await Promise.all([talk.hangup(), next.hangup()])

  await cable.mend()
  await tacet.start('settings')
  await eventually(async () => {
    const { settings, credentials } = await readiness()
    return settings.state === 'current' && credentials.state === 'current' && settings.ageMs < 3_000
  }, { timeoutMs: 30_000, message: 'the copy did not catch up' })
  await patch(company, { recording: everywhere('off') })
  const last = await answerCallAt(nowMs() + 2_000)
  t.match(await last.status(), { state: 'off' })
  await last.hangup()
  for (const { callId } of [talk, next]) await proofOf(t, tacet, { callId })
})
