import t from 'tap'
import type { Test } from 'tap'
import { createPhone, createSignal, eventually, locate, missing, pcmSource, readStack } from '@tacet/test-kit'
import type { Call, ReceivedPacket } from '@tacet/test-kit'

const { sip, trunk, agents, numbers } = readStack()
const [anna, ben] = agents
const annasNumber = numbers[0]!.e164

async function phoneOf (t: Test, account: { username: string, password: string }) {
  const phone = await createPhone({ sip, account })
  t.teardown(() => phone.close())
  await phone.register()
  return phone
}

async function answeredCall (t: Test) {
  const outside = await phoneOf(t, trunk)
  const desk = await phoneOf(t, anna!.sip)
  const customerAudio = createSignal({ seed: 11, name: 'customer' })
  const agentAudio = createSignal({ seed: 12, name: 'agent' })
  const customer = await outside.call(annasNumber, { callerId: { number: '+447700900123', name: 'Cora' }, audio: customerAudio })
  const agent = await desk.waitForCall()
  await customer.ringing()
  await agent.answer({ audio: agentAudio })
  await customer.answered()
  return { outside, desk, customer, agent, customerAudio, agentAudio }
}

const pcmOf = (received: ReceivedPacket[]) => Int16Array.from(received.flatMap(({ samples }) => [...samples]))
const hears = async (call: Call, packets: number) => {
  const from = call.received.length
  await eventually(() => call.received.length >= from + packets, { message: `${packets} packets of audio` })
}

t.test('a call from outside reaches the agent with its caller id, and each hears the other to the sample', async t => {
  const { customer, agent, customerAudio, agentAudio } = await answeredCall(t)
  t.equal(agent.remote.user, '+447700900123')
  await hears(agent, 75)
  const ends = { customer: customer.sentPackets.at(-20)?.sentAtMs ?? 0, agent: agent.sentPackets.at(-20)?.sentAtMs ?? 0 }
  // What was sent until then has arrived when as much again has.
  await Promise.all([hears(agent, 25), hears(customer, 25)])
  const starts = { customer: agent.received[0]!.arrivedAtMs, agent: customer.received[0]!.arrivedAtMs }
  const atAgent = locate(pcmOf(agent.received), [{ name: 'customer', signal: customerAudio, sentPackets: customer.sentPackets }])
  const atCustomer = locate(pcmOf(customer.received), [{ name: 'agent', signal: agentAudio, sentPackets: agent.sentPackets }])
  t.equal(missing(atAgent, 'customer', starts.customer, ends.customer), 0)
  t.equal(missing(atCustomer, 'agent', starts.agent, ends.agent), 0)
  await customer.hangup()
  await agent.ended()
  t.equal(agent.endedBy, 'them')
  t.equal(customer.endedBy, 'us')
})

t.test('a held customer no longer hears the agent, until the agent is back', async t => {
  const { customer, agent } = await answeredCall(t)
  await hears(customer, 10)
  await agent.hold()
  const spoken = agent.sentPackets.length
  await hears(agent, 0)
  await customer.stall(200)
  t.equal(agent.sentPackets.length, spoken)
  await agent.unhold()
  await hears(customer, 10)
  t.ok(agent.sentPackets.length > spoken)
})

t.test('a blind transfer takes the customer to the colleague', async t => {
  const { customer, agent } = await answeredCall(t)
  const colleague = await phoneOf(t, ben!.sip)
  const transferred = agent.blindTransfer(ben!.extension)
  const next = await colleague.waitForCall()
  await next.answer({ audio: pcmSource(new Int16Array(8000), { isLooped: true }) })
  await transferred
  await agent.ended()
  await hears(next, 10)
  await next.hangup()
  await customer.ended()
})

t.test('an attended transfer joins the customer and the colleague', async t => {
  const { desk, customer, agent } = await answeredCall(t)
  const colleague = await phoneOf(t, ben!.sip)
  await agent.hold()
  const consultation = await desk.call(ben!.extension)
  const next = await colleague.waitForCall()
  await next.answer()
  await consultation.answered()
  await agent.attendedTransfer(consultation)
  await consultation.ended()
  await hears(next, 10)
  await customer.hangup()
  await next.ended()
})

t.test('an agent calls out through the trunk, and an answer of busy ends the call', async t => {
  const outside = await phoneOf(t, trunk)
  const desk = await phoneOf(t, anna!.sip)
  const call = await desk.call('+447700900999')
  const ringing = await outside.waitForCall()
  t.equal(ringing.dialled, '+447700900999')
  ringing.reject(486)
  await call.ended()
  t.equal(call.endedBy, 486)
  await t.rejects(call.answered(), /ended \(by 486\) before it was answered/)
})

t.test('a caller who gives up stops the ringing', async t => {
  const outside = await phoneOf(t, trunk)
  const desk = await phoneOf(t, anna!.sip)
  const call = await outside.call(annasNumber)
  const ringing = await desk.waitForCall()
  await call.ringing()
  await call.hangup()
  await ringing.ended()
  t.equal(ringing.endedBy, 'them')
})

t.test('a closed phone ends its calls and is no longer registered', async t => {
  const { desk, customer } = await answeredCall(t)
  await desk.close()
  await customer.ended()
  const again = await phoneOf(t, trunk)
  const unheard = await again.call(annasNumber)
  await unheard.ended()
  t.equal(typeof unheard.endedBy, 'number')
})

t.test('a wrong password is refused', async t => {
  const phone = await createPhone({ sip, account: { ...anna!.sip, password: 'wrong' } })
  t.teardown(() => phone.close())
  await t.rejects(phone.register(), /was refused: 401/)
})
