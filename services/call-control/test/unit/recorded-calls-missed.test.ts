import t from 'tap'
import type { Lab, LabOptions } from '../support/lab.ts'
import { createMirror, createReplayLab, endState, readEvents, replay, scenarios, show, type Recorded } from '../support/replay.ts'
import { company } from '../support/rules.ts'

const isRecording = async ({ driver }: Lab) => (await driver.list()).some(({ state }) => state !== 'stopped')
const isAllOver = ({ follower }: Lab) => follower.sessions().every(({ call }) => call.endedAtMs !== null && call.recording.phase.status === 'ended')

/** Sees nothing of some events; then reconnects and looks. */
async function replayWithHole (events: Recorded[], from: number, to: number, options: LabOptions = {}): Promise<Lab> {
  const lab = createReplayLab(events, options)
  const mirror = createMirror()
  for (const [index, recorded] of events.entries()) {
    mirror.see(recorded)
    if (index < from || index >= to) await show(lab, recorded)
    else if (recorded.event.type === 'ChannelDestroyed') lab.driver.hangUpLeg(recorded.event.channel.id)
    if (index === to - 1) {
      await lab.time.advanceTo(recorded.atMs)
      lab.follower.replace(mirror.snapshot())
      await lab.time.settle()
    }
  }
  await lab.time.advance(5000)
  return lab
}

t.test('whatever stretch of events is lost, after a look every call still comes to its end and no recorder is left', async t => {
  for (const scenario of scenarios) {
    const events = readEvents(scenario)
    const ids = endState(await replay(scenario)).map(({ callId }) => callId)
    const stretch = Math.ceil(events.length / 6)
    const wrong: unknown[] = []
    for (let from = 0; from < events.length; from += stretch) {
      const to = Math.min(from + stretch, events.length)
      const lab = await replayWithHole(events, from, to)
      const isFine = isAllOver(lab) && !await isRecording(lab) && endState(lab).every(({ callId }) => ids.includes(callId))
      if (!isFine) wrong.push({ from, to, phases: endState(lab).map(({ callId, recording }) => [callId, recording.phase]) })
    }
    t.same(wrong, [], scenario)
  }
})

t.test('a call that is first seen in its middle gets its id, and the time before is missing from its timeline', async t => {
  const events = readEvents('inbound-hold')
  const answered = events.findLastIndex(({ event }) => event.type === 'ChannelEnteredBridge')
  const lab = await replayWithHole(events, 0, answered + 5)
  const [call, ...more] = endState(lab)
  t.same(more, [])
  t.equal(call!.callId, (await replay('inbound-hold')).follower.sessions()[0]!.call.callId)
  t.equal(call!.recording.segments.length, 1)
  const [gap] = call!.recording.gaps
  t.match(gap, { reasons: ['lost'], by: [{ kind: 'recovery' }] })
  t.ok(gap!.startedAtMs <= events[answered]!.atMs)
})

t.test('a queue call first seen in its middle misses nothing from before an agent was called', async t => {
  const events = readEvents('queue')
  const answered = events.findLastIndex(({ event }) => event.type === 'ChannelEnteredBridge')
  const lab = await replayWithHole(events, 0, answered + 1)
  const [gap] = endState(lab)[0]!.recording.gaps
  t.ok(gap!.startedAtMs > endState(lab)[0]!.startedAtMs)
})

for (const scenario of ['blind-transfer-to-agent', 'blind-transfer-to-outside', 'attended-transfer', 'attended-transfer-to-outside']) {
  const events = readEvents(scenario)
  const customerId = 'channel' in events[0]!.event ? events[0]!.event.channel?.id ?? '' : ''
  const transfer = events.findIndex(({ event }) => event.type.endsWith('Transfer'))
  const agentId = (({ event }) => event.type === 'BridgeBlindTransfer' ? event.channel.id : event.type === 'BridgeAttendedTransfer' ? event.transferer_first_leg.id : '')(events[transfer]!)
  // From before anything of the transfer is seen; an attended one, also from its middle.
  const from = events.findIndex(({ event }) => event.type === 'ChannelLeftBridge' && [customerId, agentId].includes(event.channel.id))
  const agentGone = events.findIndex(({ event }) => event.type === 'ChannelDestroyed' && event.channel.id === agentId)
  const nextThere = events.findIndex(({ event }, index) => index > agentGone && event.type === 'ChannelEnteredBridge')

  for (const [moment, start, to] of [['the agent is gone', Math.min(from, transfer), agentGone + 1], ['the next one is there', Math.min(from, transfer), Math.max(nextThere, agentGone) + 1], ['its event was past', transfer, agentGone + 1]] as const) {
    t.test(`a ${scenario} of which nothing was seen until ${moment} cuts the recording`, async t => {
      const lab = await replayWithHole(events, start, to)
      const { call } = lab.follower.sessions().find(session => session.call.linkedIds.includes(customerId))!
      t.match(call.recording.phase, { status: 'ended', reason: 'transfer' })
      t.equal(lab.eventTypes().filter(type => type === 'recording.ended').length, lab.follower.sessions().filter(session => session.call.recording.segments.length > 0).length)
      t.ok(lab.messages().some(({ type, data }) => type === 'call.transferred' && (data as { callId: string }).callId === call.callId))
    })

    t.test(`a ${scenario} of which nothing was seen until ${moment} has its recorder replaced, where transfers continue`, async t => {
      const lab = await replayWithHole(events, start, to, { company: company({ transfers: 'continue' }) })
      const { call } = lab.follower.sessions().find(session => session.call.linkedIds.includes(customerId))!
      t.match(call.recording.phase, { status: 'ended', reason: 'hangup' })
      t.match(call.recording, { segments: [{ closedBy: 'pause' }, { closedBy: 'end' }], gaps: [{ reasons: ['policy'] }] })
    })
  }
}

t.test('an agent who hung up while nobody watched has transferred nothing', async t => {
  const events = readEvents('inbound-agent-hangs-up')
  const gone = events.findIndex(({ event }) => event.type === 'ChannelDestroyed')
  const lab = await replayWithHole(events, gone - 3, gone + 1)
  t.notOk(lab.eventTypes().includes('call.transferred'))
  t.match(endState(lab)[0]!.recording.phase, { status: 'ended', reason: 'hangup' })
})
