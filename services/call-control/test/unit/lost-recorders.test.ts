import t from 'tap'
import { recorderId, type Call } from '../../src/domain/call.ts'
import { reconcile, snapshotOf, succeed, talking } from '../support/instance.ts'
import { annaLeg, createLab, trunkLeg, type Lab } from '../support/lab.ts'
import { watchPromise } from '../support/problems.ts'
import { company } from '../support/rules.ts'

const recordingNow = async ({ driver }: Lab) => (await driver.list()).filter(({ state }) => state === 'recording').map(({ recorderId }) => recorderId)
const recordingOf = (lab: Lab, { callId }: Call) => lab.follower.session(callId)!.call.recording

async function createStereo () {
  const stereo = { company: company({ recordingChannels: 'stereo' }) }
  const lab = createLab(stereo)
  const { call } = await lab.answerCall()
  return { lab, call, stereo, tell: (isExplained = false) => lab.follower.session(call.callId)!.dispatch({ type: 'recording', input: { type: 'recorder-lost', atMs: lab.time.now(), segment: 1, isExplained } }) }
}

t.test('when one track vanishes the other is stopped before anybody is told that it is paused', async t => {
  const { lab, call, tell } = await createStereo()
  lab.driver.vanish(recorderId(call, 1, 'in'))
  lab.driver.faults.stopDelayMs = 300
  tell()
  const pause = lab.command('pause', call.callId)
  const answer = watchPromise(pause)
  await lab.time.advance(299)
  t.same(await recordingNow(lab), [recorderId(call, 1, 'out')])
  t.notOk(answer.isSettled, 'a repeated pause is not answered while a track may go on')
  t.notOk(lab.eventTypes().includes('recording.paused'))
  t.ok(lab.eventTypes().includes('recording.missing'), 'the alarm does not wait')
  await lab.time.advance(1)
  t.same(await recordingNow(lab), [])
  t.match(await pause, { state: 'paused', reasons: ['agent'] })
  t.match(recordingOf(lab, call), { phase: { status: 'paused' }, faults: ['recorder-lost'], segments: [{ closedBy: 'lost' }], gaps: [{ reasons: ['lost'] }] })
})

t.test('a track that can not be proven stopped after the other vanished leaves it unconfirmed', async t => {
  const { lab, call, tell } = await createStereo()
  lab.driver.vanish(recorderId(call, 1, 'out'))
  lab.driver.faults.loseStopProof = true
  tell()
  await lab.time.advance(2000)
  t.equal(recordingOf(lab, call).phase.status, 'unconfirmed')
  await t.rejects(lab.command('pause', call.callId), { code: 'pause-unconfirmed' })
  lab.driver.faults.loseStopProof = false
  await lab.time.advance(3000)
  t.same(await recordingNow(lab), [])
  t.match(recordingOf(lab, call), { phase: { status: 'paused' }, segments: [{ closedBy: 'lost' }] })
})

for (const track of ['in', 'out'] as const) {
  t.test(`the ${track} track that vanished while nobody watched takes the other with it`, async t => {
    const { lab, call, stereo } = await createStereo()
    lab.driver.vanish(recorderId(call, 1, track))
    const next = succeed({ time: lab.time, driver: lab.driver, database: lab.store.database }, stereo)
    await reconcile(next, talking)
    t.equal(recordingOf(next, call).phase.status, 'paused')
    t.same(await recordingNow(next), [])
    const stop = next.driver.calls.findLastIndex(({ name }) => name === 'stop')
    t.ok(stop >= 0 && stop < next.driver.calls.findIndex(({ name }) => name === 'discard'), 'it was stopped, not only removed')
  })
}

t.test('a leg that was replaced is recorded on only when the recorders of the old one are gone', async t => {
  const { lab, call } = await createStereo()
  lab.driver.faults.stopDelayMs = 300
  // The old leg lives on, though it is no part of the call any more.
  await reconcile(lab, snapshotOf(trunkLeg({ channelId: '1795419347.99' }), annaLeg()))
  t.match(recordingOf(lab, call), { phase: { status: 'pausing' }, reasons: [] })
  await lab.time.advance(1000)
  t.match(recordingOf(lab, call).phase, { status: 'recording', segment: { number: 2 } })
  t.same((await recordingNow(lab)).sort(), [recorderId(call, 2, 'in'), recorderId(call, 2, 'out')])
})

t.test('a pause that comes while the leg is being replaced holds', async t => {
  const { lab, call, tell } = await createStereo()
  lab.driver.faults.stopDelayMs = 300
  tell(true)
  const pause = lab.command('pause', call.callId)
  await lab.time.advance(1000)
  t.match(await pause, { state: 'paused', reasons: ['agent'] })
  t.same(await recordingNow(lab), [])
})

t.test('a resume that comes while the leg is being replaced is answered when it records on', async t => {
  const { lab, call, tell } = await createStereo()
  lab.driver.faults.stopDelayMs = 300
  tell(true)
  const resume = lab.command('resume', call.callId)
  await lab.time.advance(1000)
  t.match(await resume, { state: 'recording', reasons: [] })
})
