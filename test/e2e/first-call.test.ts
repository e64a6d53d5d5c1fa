import t from 'tap'
import { createPhone, createSignal, eventually } from '@tacet/test-kit'
import { startTacet } from '../support/tacet.ts'

t.setTimeout(120_000)
const tacet = await startTacet(t)
const [anna] = tacet.agents
const { sip, trunk } = tacet.stack

t.test('a call is recorded, paused, resumed and ends in one recording', async t => {
  const customer = await createPhone({ sip, account: trunk })
  const agent = await createPhone({ sip, account: anna.sip })
  t.teardown(() => Promise.all([customer.close(), agent.close()]))
  await agent.register()
  const outgoing = await customer.call('+442071838750', { callerId: { number: '+447700900123' }, audio: createSignal({ seed: 1 }) })
  const incoming = await agent.waitForCall()
  await incoming.answer({ audio: createSignal({ seed: 2 }) })
  await outgoing.answered()
  const live = await eventually(async () => {
    const { body } = await tacet.callControl('/v1/calls', { token: anna.token })
    return body.items?.find((call: any) => call.recording.state === 'recording')
  })
  console.error(live)
  const paused = await tacet.callControl(`/v1/calls/${live.callId}/recording/pause`, { method: 'POST', token: anna.token })
  console.error(paused.status, paused.body)
  const resumed = await tacet.callControl(`/v1/calls/${live.callId}/recording/resume`, { method: 'POST', token: anna.token })
  console.error(resumed.status, resumed.body)
  await outgoing.hangup()
  const ended = await tacet.probe.waitFor(event => event.type === 'recording.ended')
  console.error(JSON.stringify(ended.data, null, 1))
  console.error(tacet.probe.events.filter(event => event.topic.includes('calls')).map(event => `${event.type} ${event.data.seq}`))
  const assembled = await tacet.probe.waitFor(event => event.type === 'recording.assembled')
  console.error(assembled.data)
  t.equal(paused.status, 200)
})
