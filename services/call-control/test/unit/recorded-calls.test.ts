import t from 'tap'
import { recorderId } from '../../src/domain/call.ts'
import { expectedCalls, type ExpectedCall } from '../support/expected-calls.ts'
import { callIdOf, type Lab } from '../support/lab.ts'
import { endpointsOf, readEvents, replay, scenarios } from '../support/replay.ts'
import { company } from '../support/rules.ts'

type Told = { type: string, subject: string, data: Record<string, unknown> }

const told = ({ messages }: Lab, callId: string): Told[] => (messages() as Told[]).filter(({ subject }) => subject === callId)

/** The calls as the expectations describe them. */
function describe (lab: Lab, endpoints: Map<string, string>): ExpectedCall[] {
  return lab.follower.sessions().map(({ call }) => {
    const events = told(lab, call.callId)
    const legs = lab.driver.calls.flatMap(made => made.name === 'start' && made.recorderId.includes(call.callId) ? [endpoints.get(made.legId)!] : [])
    const transfer = events.find(({ type, data }) => type === 'call.transferred' && data.byAgentId !== null)?.data
    return {
      linkedId: call.linkedIds[0]!,
      direction: call.direction,
      number: call.number,
      customer: call.customer,
      agents: events.flatMap(({ type, data }) => type === 'call.agent-joined' ? [String(data.agentId)] : []),
      recorded: legs.length === 0 ? null : [...new Set(legs)].join(' then '),
      reason: endReason(events),
      ...(call.aliases.length > 0 && { aliases: call.aliases }),
      ...(transfer && { transfer: { kind: transfer.kind as 'blind', by: transfer.byAgentId as string, to: transfer.to as string } }),
    }
  })
}

function endReason (events: Told[]): 'hangup' | 'transfer' {
  const ended = events.find(({ type }) => type === 'recording.ended') ?? events.find(({ type }) => type === 'call.ended')
  return (ended?.data.endReason ?? ended?.data.reason) as 'hangup'
}

const expected = (scenario: string): ExpectedCall[] => expectedCalls[scenario]!.map(call => ({ ...call, ...(call.aliases && { aliases: call.aliases.map(callIdOf) }) }))

t.test('every recorded scenario has an expectation', async t => {
  t.same(Object.keys(expectedCalls).sort(), scenarios)
})

for (const scenario of scenarios) {
  t.test(`${scenario} becomes the calls it was`, async t => {
    const lab = await replay(scenario)
    t.same(describe(lab, endpointsOf(readEvents(scenario))), expected(scenario))
    for (const { call } of lab.follower.sessions()) {
      t.equal(call.callId, callIdOf(call.linkedIds[0]!))
      const types = told(lab, call.callId).map(({ type }) => type)
      const count = (wanted: string) => types.filter(type => type === wanted).length
      t.equal(types[0], 'call.ringing')
      t.equal(count('call.ended'), 1)
      t.equal(count('call.answered'), call.answeredAtMs === null ? 0 : 1)
      t.equal(count('recording.ended'), call.answeredAtMs === null ? 0 : 1)
      t.equal(count('call.agent-joined'), count('call.agent-left'), 'whoever joined has left, once')
      t.same(told(lab, call.callId).map(({ data }) => data.seq), types.map((_type, index) => index + 1))
    }
    t.same(await recording(lab), [], 'no recorder is left')
    t.same(lab.complaints, [])
    t.same(lab.storeFailures, [])
  })

  t.test(`${scenario} is one segment without a gap, as the rules have transfers stop`, async t => {
    const lab = await replay(scenario)
    for (const { call } of lab.follower.sessions()) {
      t.equal(call.recording.segments.length, call.answeredAtMs === null ? 0 : 1)
      t.same(call.recording.gaps, [])
      t.same(call.recording.faults, [])
    }
  })
}

const recording = async ({ driver }: Lab) => (await driver.list()).filter(({ state }) => state !== 'stopped')

const transfers = scenarios.filter(scenario => scenario.includes('transfer'))
for (const scenario of transfers) {
  t.test(`${scenario} is recorded on the customer's leg to the end, where transfers continue`, async t => {
    const lab = await replay(scenario, { company: company({ transfers: 'continue' }) })
    const endpoints = endpointsOf(readEvents(scenario))
    const [main, consultation] = lab.follower.sessions().map(({ call }) => call)
    t.equal(endpoints.get(main!.recordedLegId!), 'PJSIP/trunk')
    t.same(main!.recording.phase, { status: 'ended', reason: 'hangup' })
    const [before, after, ...more] = main!.recording.segments
    t.match([before, after], [{ number: 1, closedBy: 'pause' }, { number: 2, closedBy: 'end' }])
    t.same(more, [])
    t.match(main!.recording.gaps, [{ reasons: ['policy'] }])
    const legs = lab.driver.calls.flatMap(made => made.name === 'start' && made.recorderId.startsWith(recorderId(main!, 1, 'mix').slice(0, -1)) ? [made.legId] : [])
    t.same(new Set(legs), new Set([main!.recordedLegId]), 'it stays with its leg')
    if (consultation?.answeredAtMs) t.match(consultation.recording.phase, { status: 'ended', reason: 'transfer' })
  })
}

t.test('an attended transfer adds an alias, and the customer\'s call goes on under its own id', async t => {
  const lab = await replay('attended-transfer', { company: company({ transfers: 'continue' }) })
  const main = callIdOf('1795419374.61')
  const [alias] = told(lab, main).filter(({ type }) => type === 'call.joined')
  t.equal(alias?.data.alias, callIdOf('1795419374.63'))
  const ended = told(lab, main).filter(({ type }) => type === 'recording.ended')
  t.equal(ended.length, 1)
  t.match(ended[0]?.data, { manifest: { callId: main, aliases: [callIdOf('1795419374.63')] } })
  t.equal(lab.follower.sessions().length, 2)
})

t.test('hold and unhold of an agent are told, and who held', async t => {
  const lab = await replay('inbound-hold')
  const holds = told(lab, callIdOf('1795419348.12')).filter(({ type }) => type === 'call.held' || type === 'call.unheld')
  t.same(holds.map(({ type, data }) => [type, String(data.agentId).slice(-4)]), [['call.held', '1001'], ['call.unheld', '1001']])
})

t.test('a customer\'s hold is told without an agent', async t => {
  const lab = await replay('inbound-customer-hold')
  const holds = told(lab, callIdOf('1795419349.14')).filter(({ type }) => type === 'call.held' || type === 'call.unheld')
  t.same(holds.map(({ type, data }) => [type, data.agentId]), [['call.held', null], ['call.unheld', null]])
})

t.test('the Unhold that Asterisk says before a transfer is no unhold', async t => {
  const lab = await replay('blind-transfer-to-agent')
  t.notOk(lab.eventTypes().includes('call.unheld'))
})
