import t from 'tap'
import { readEvents, replay, type Recorded } from '../support/replay.ts'

const isTrunk = ({ event }: Recorded) => 'channel' in event && event.channel?.name.startsWith('PJSIP/trunk') === true
const isAgent = ({ event }: Recorded) => 'channel' in event && /^PJSIP\/100\d/.test(event.channel?.name ?? '')

/** When the agent shared a bridge with somebody, and when the customer was picked up at all. */
function momentsOf (scenario: string) {
  const events = readEvents(scenario)
  const customerUpMs = events.find(recorded => isTrunk(recorded) && recorded.event.type === 'ChannelStateChange' && recorded.event.channel.state === 'Up')!.atMs
  const agentBridgedMs = events.find(recorded => recorded.event.type === 'ChannelEnteredBridge' && isAgent(recorded))!.atMs
  const customerBridgedMs = events.find(recorded => recorded.event.type === 'ChannelEnteredBridge' && isTrunk(recorded))!.atMs
  return { customerUpMs, agentBridgedMs, customerBridgedMs }
}

for (const scenario of ['inbound-ivr-first', 'queue', 'queue-local-members', 'local-optimised', 'local-not-optimised', 'inbound-ring-group', 'pickup']) {
  t.test(`${scenario} is answered when agent and customer meet in bridges, not before`, async t => {
    const lab = await replay(scenario)
    const { agentBridgedMs, customerBridgedMs } = momentsOf(scenario)
    t.equal(lab.follower.sessions()[0]!.call.answeredAtMs, Math.max(agentBridgedMs, customerBridgedMs))
  })
}

t.test('while an IVR talks, nothing is answered and nothing recorded', async t => {
  const { customerUpMs, agentBridgedMs } = momentsOf('inbound-ivr-first')
  t.ok(customerUpMs < agentBridgedMs)
  const lab = await replay('inbound-ivr-first')
  const { call } = lab.follower.sessions()[0]!
  t.ok(call.answeredAtMs! >= agentBridgedMs)
  t.ok(call.recording.segments[0]!.requestedAtMs >= agentBridgedMs)
})

for (const scenario of ['local-optimised', 'local-not-optimised', 'queue-local-members']) {
  t.test(`${scenario}: Local channels are no parties, the agent stays, and the recorder keeps its leg`, async t => {
    const lab = await replay(scenario)
    const { call } = lab.follower.sessions()[0]!
    t.equal(lab.follower.sessions().length, 1)
    t.same(call.participants.map(({ endpoint }) => endpoint), ['PJSIP/1001'])
    t.equal(lab.eventTypes().filter(type => type === 'call.agent-left').length, 1)
    t.ok(call.participants[0]!.leftAtMs! > call.answeredAtMs! + 500, 'the agent left at the end')
    t.equal(lab.driver.calls.filter(({ name }) => name === 'start').length, 1)
  })
}

t.test('in a ring group only who answers joins, and the others are out of it at once', async t => {
  const lab = await replay('inbound-ring-group')
  const { call } = lab.follower.sessions()[0]!
  const [loser, winner] = call.participants
  t.match(loser, { endpoint: 'PJSIP/1001', joinedAtMs: null })
  t.ok(loser!.leftAtMs! <= call.answeredAtMs!)
  t.match(winner, { endpoint: 'PJSIP/1002', joinedAtMs: call.answeredAtMs })
})

t.test('a picked up call belongs to who picked it up', async t => {
  const lab = await replay('pickup')
  const { call } = lab.follower.sessions()[0]!
  t.equal(lab.follower.sessions().length, 1)
  t.same(call.linkedIds, ['1795419447.91', '1795419447.93'])
  t.match(call.participants, [{ endpoint: 'PJSIP/1001', joinedAtMs: null }, { endpoint: 'PJSIP/1002', joinedAtMs: Number }])
})

t.test('a SIP Call-ID that comes late is known all the same', async t => {
  const lab = await replay('inbound-caller-hangs-up')
  t.equal(lab.follower.sessions()[0]!.call.sipCallIds.length, 2)
})
