import { randomUUID } from 'node:crypto'
import { topics } from '@tacet/contracts'
import { eventually, type HttpAnswer } from '@tacet/test-kit'
import { Kafka, logLevel } from 'kafkajs'
import t from 'tap'
import { customerNumber, numbers, openOffice } from '../support/office.ts'
import { checkAudio, checkUnrecorded, proofOf, waitForEvent } from '../support/proof.ts'
import { receiveCall, speak } from '../support/talk.ts'
import { startTacet } from '../support/tacet.ts'

t.setTimeout(180_000)
const tacet = await startTacet(t)
const office = await openOffice(t, tacet)
const [anna, ben] = tacet.agents
const producer = new Kafka({ brokers: tacet.stack.kafka.brokers, logLevel: logLevel.NOTHING }).producer()
await producer.connect()
t.teardown(() => producer.disconnect())

const post = async (callId: string, action: string, { token = anna.token, body }: { token?: string, body?: unknown } = {}): Promise<HttpAnswer> =>
  await tacet.callControl(`/v1/calls/${callId}/recording/${action}`, { method: 'POST', token, body })

t.test('commands that can\'t be are refused with a reason, and change nothing', async t => {
  const talk = await receiveCall(office)
  await talk.isRecorded()
  const refusals: [string, Promise<HttpAnswer>, Record<string, unknown>][] = [
    ['an unknown call', post(randomUUID(), 'pause'), { status: 404, code: 'call-not-found' }],
    ['another agent\'s call', post(talk.callId, 'pause', { token: ben.token }), { status: 404, code: 'call-not-found' }],
    ['no call id', post('nonsense', 'pause'), { status: 400, code: 'invalid-request', errors: [{ field: 'callId' }] }],
    ['a note that is no text', post(talk.callId, 'pause', { body: { note: 5 } }), { status: 400, code: 'invalid-request', errors: [{ field: 'note' }] }],
    ['a note too long', post(talk.callId, 'pause', { body: { note: 'x'.repeat(201) } }), { status: 400, code: 'invalid-request', errors: [{ field: 'note' }] }],
    ['an unknown field', post(talk.callId, 'pause', { body: { reason: 'card' } }), { status: 400, code: 'invalid-request', errors: [{ field: 'reason' }] }],
    ['half of a JSON', post(talk.callId, 'pause', { body: '{"note":' }), { status: 400, code: 'malformed-json' }],
    ['a wrong token', post(talk.callId, 'pause', { token: 'x'.repeat(32) }), { status: 401, code: 'unauthenticated' }],
    ['no token', tacet.callControl(`/v1/calls/${talk.callId}/recording/pause`, { method: 'POST' }), { status: 401, code: 'unauthenticated' }],
    ['an unknown action', post(talk.callId, 'explode'), { status: 404, code: 'not-found' }],
    ['a list of whom', tacet.callControl('/v1/calls?agent=anna', { token: anna.token }), { status: 400, code: 'invalid-request', errors: [{ field: 'agent' }] }],
    ['an unknown recording', tacet.assembly(`/v1/recordings/${randomUUID()}`, { token: anna.token }), { status: 404, code: 'recording-not-found' }],
    ['a recording of a call that goes on', tacet.assembly(`/v1/recordings/${talk.callId}`, { token: anna.token }), { status: 404, code: 'recording-not-found' }],
    ['a recording without a token', tacet.assembly(`/v1/recordings/${talk.callId}`), { status: 401, code: 'unauthenticated' }],
    ['settings with an agent\'s token', tacet.settings(`/v1/companies/${tacet.companyId}`, { token: 'x'.repeat(32) }), { status: 401, code: 'unauthenticated' }],
    ['settings that say nonsense', tacet.settings(`/v1/companies/${tacet.companyId}`, { method: 'PUT', body: { name: 'x', recording: { inbound: 'maybe' } } }), { status: 400, code: 'invalid-request' }],
  ]
  for (const [name, answer, expected] of refusals) t.match((await answer).problem(), expected, name)
  t.equal((await talk.status()).state, 'recording')
  await speak(talk.voices, 300)
  await talk.hangup()
  const proof = await proofOf(t, tacet, talk)
  t.notOk(proof.types.includes('recording.paused'))
  checkAudio(t, proof, talk)
  t.match((await post(talk.callId, 'pause')).problem(), { status: 409, code: 'call-ended' })
  t.match((await post(talk.callId, 'resume')).problem(), { status: 409, code: 'call-ended' })
  t.match((await post(talk.callId, 'pause', { token: ben.token })).problem(), { status: 404, code: 'call-not-found' })
})

t.test('a call that only rings can\'t be paused yet', async t => {
  const outgoing = await office.outside.call(numbers.direct, { callerId: { number: customerNumber } })
  await office.desks[0].waitForCall()
  await outgoing.ringing()
  const { callId } = await eventually(async () => (await tacet.callControl('/v1/calls', { token: anna.token })).body.items[0])
  t.match((await post(callId, 'pause')).problem(), { status: 409, code: 'call-not-answered' })
  t.match((await post(callId, 'resume')).problem(), { status: 409, code: 'call-not-answered' })
  await outgoing.hangup()
  t.same(await checkUnrecorded(t, tacet, { callId }), ['call.ringing', 'call.ended'])
})

t.test('messages that nobody understands go to the dead letters, and the calls after them are assembled', async t => {
  const topic = tacet.topicPrefix + topics.calls
  const ce = (type: string) => ({ ce_specversion: '1.0', ce_id: randomUUID(), ce_type: type, ce_source: 'urn:test', ce_subject: 'poison', ce_time: new Date().toISOString(), 'content-type': 'application/json' })
  const poison = [
    { value: 'not JSON at all', headers: ce('recording.ended') },
    { value: JSON.stringify({ callId: 'no id', manifest: {} }), headers: ce('recording.ended') },
    { value: '{}', headers: {} },
    { value: Buffer.from([0xff, 0xfe, 0x00]), headers: ce('recording.ended') },
  ]
  const partitions = [0, 1, 2, 3, 4, 5]
  await producer.send({ topic, messages: partitions.flatMap(partition => poison.map(message => ({ ...message, key: `poison-${partition}`, partition }))) })
  const letters = await eventually(() => {
    const dead = tacet.probe.events.filter(event => event.topic === `${tacet.topicPrefix}recording-assembly.dead-letters.v1`)
    return dead.length === partitions.length * poison.length && dead
  }, { message: 'the dead letters' })
  t.same(new Set(letters.map(({ headers }) => headers.dead_letter_partition)), new Set(partitions.map(String)))
  for (const { headers, key } of letters) {
    t.match(headers, { dead_letter_topic: topics.calls, dead_letter_reason: /./ })
    t.match(key, /^poison-/)
  }
  t.equal(letters.filter(({ data }) => data === 'not JSON at all').length, partitions.length)

  const talk = await receiveCall(office)
  await talk.isRecorded()
  await speak(talk.voices, 300)
  await talk.hangup()
  checkAudio(t, await proofOf(t, tacet, talk), talk)
})

t.test('settings and credentials that nobody understands leave the last good ones in force, and new ones are taken', async t => {
  const ce = (type: string, subject: string) => ({ ce_specversion: '1.0', ce_id: randomUUID(), ce_type: type, ce_source: 'urn:test', ce_subject: subject, ce_time: new Date().toISOString(), 'content-type': 'application/json' })
  await producer.send({
    topic: tacet.topicPrefix + topics.settings,
    messages: [
      { key: tacet.companyId, value: 'not JSON at all', headers: ce('company.changed', tacet.companyId) },
      { key: tacet.companyId, value: JSON.stringify({ companyId: tacet.companyId, version: 1000, recording: 'off' }), headers: ce('company.changed', tacet.companyId) },
      { key: 'nobody', value: null },
      { key: 'nothing', value: '{}' },
    ],
  })
  await producer.send({ topic: tacet.topicPrefix + topics.credentials, messages: [{ key: 'x', value: 'not JSON at all', headers: ce('credential.changed', 'x') }] })
  const talk = await receiveCall(office)
  await talk.isRecorded()
  await tacet.putCompany({ recording: { inbound: 'off', outbound: 'off', internal: 'off' } })
  await talk.hangup()
  await waitForEvent(tacet, talk.callId, 'recording.assembled')
  const next = await receiveCall(office)
  t.equal((await next.status()).state, 'off')
  await next.hangup()
  await checkUnrecorded(t, tacet, next)
})
