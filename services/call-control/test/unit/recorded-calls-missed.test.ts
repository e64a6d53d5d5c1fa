import t from 'tap'
import type { Lab } from '../support/lab.ts'
import { createMirror, createReplayLab, endState, readEvents, replay, scenarios, show, type Recorded } from '../support/replay.ts'

const isRecording = async ({ driver }: Lab) => (await driver.list()).some(({ state }) => state !== 'stopped')
const isAllOver = ({ follower }: Lab) => follower.sessions().every(({ call }) => call.endedAtMs !== null && call.recording.phase.status === 'ended')

/** Sees nothing of some events; then reconnects and looks. */
async function replayWithHole (events: Recorded[], from: number, to: number): Promise<Lab> {
  const lab = createReplayLab(events)
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
