import t from 'tap'
import { passTime } from '../../src/usecases/pass-time.ts'
import { annaLeg, createLab, type Lab } from '../support/lab.ts'
import { problemOf } from '../support/problems.ts'
import { company, everywhere } from '../support/rules.ts'

const alarms = ({ messages }: Lab) => messages().filter(({ type }) => type === 'recording.missing')

/** Lets time pass with the look at the clock that the service has all the time. */
async function pass (lab: Lab, ms: number): Promise<void> {
  for (let passedMs = 0; passedMs < ms; passedMs += 250) {
    await lab.time.advance(250)
    passTime(lab.follower.sessions(), { clock: lab.time.now, newId: lab.newId, onError: () => {} })
    await lab.time.settle()
  }
}

t.test('a recorder that does not come raises one alarm within two seconds, while it goes on being tried', async t => {
  const lab = createLab()
  lab.driver.faults.startDelayMs = 60_000
  const { call: { callId } } = await lab.answerCall()
  await pass(lab, 750)
  t.same(alarms(lab), [])
  await pass(lab, 500)
  t.match(alarms(lab), [{ data: { callId, recordingId: callId, state: 'starting', detail: /no recorder 1000 ms/ } }])
  await pass(lab, 2000)
  t.equal(alarms(lab).length, 1, 'the next attempt is the same absence')
  lab.driver.faults.startDelayMs = 0
  await pass(lab, 5000)
  t.match(lab.follower.session(callId)?.call, { recording: { phase: { status: 'recording' } }, lateStart: null })
})

t.test('the alarm does not wait for the database that keeps the start waiting', async t => {
  const lab = createLab()
  lab.store.isDown = true
  const { call: { callId } } = await lab.answerCall()
  await pass(lab, 2000)
  t.match(lab.follower.session(callId)?.call, { recording: { phase: { status: 'starting' } }, lateStart: { isTold: true } })
  lab.store.isDown = false
  await pass(lab, 2000)
  t.equal(alarms(lab).length, 1)
})

t.test('a recorder that is there in time, one that is not wanted, and one an agent asked for raise none', async t => {
  const prompt = createLab()
  await prompt.answerCall()
  const off = createLab({ company: company({ recording: everywhere('off') }) })
  const { call: { callId } } = await off.answerCall()
  await Promise.all([prompt, off].map(lab => pass(lab, 3000)))
  t.same([...alarms(prompt), ...alarms(off)], [])
  off.driver.faults.startDelayMs = 60_000
  const refused = problemOf(off.command('resume', callId))
  await pass(off, 1750)
  t.same(alarms(off), [])
  await pass(off, 2000)
  t.match(await refused, { code: 'recorder-failed' })
})

t.test('a silence of the rules that can not be lifted is tried a few times, alarms within two seconds, and is left to an agent', async t => {
  const lab = createLab({ company: company({ transfers: 'continue' }) })
  const { call: { callId } } = await lab.answerCall()
  lab.driver.faults.refuseStart = 'unavailable'
  lab.follower.apply({ type: 'transferred', kind: 'blind', byChannelIds: [annaLeg().channelId], to: '1002' })
  await pass(lab, 1500)
  t.match(alarms(lab), [{ data: { state: 'resuming', detail: /no recorder 1000 ms/ } }])
  await pass(lab, 30_000)
  const { recording } = lab.follower.session(callId)!.call
  t.match(recording, { phase: { status: 'paused' }, reasons: ['agent'], faults: ['recorder-failed'], nextSegment: 7 })
  t.equal(recording.segments.length, 6, 'the first, and five attempts')
  t.equal(alarms(lab).length, 2, 'and once more when it is given up')
  lab.driver.faults.refuseStart = undefined
  const resume = lab.command('resume', callId)
  await lab.time.advance(1000)
  t.match(await resume, { state: 'recording' })
})

t.test('a start that was given up is tried again while the call lasts, less and less often', async t => {
  const lab = createLab()
  lab.driver.faults.refuseStart = 'unavailable'
  const { call: { callId } } = await lab.answerCall()
  const recordingNow = () => lab.follower.session(callId)!.call.recording
  await pass(lab, 5_000)
  t.match(recordingNow(), { phase: { status: 'off' }, nextSegment: 6 })
  await pass(lab, 90_000)
  t.match(recordingNow(), { phase: { status: 'off' }, nextSegment: 9 }, 'after ten, twenty and forty seconds')
  lab.driver.faults.refuseStart = undefined
  await pass(lab, 80_000)
  t.match(recordingNow(), { phase: { status: 'recording' }, gaps: [{ reasons: ['lost'], endedAtMs: Number }] })
  t.ok(lab.eventTypes().includes('recording.started'))
})

t.test('whoever pauses while a start is still to be tried stays unrecorded', async t => {
  const lab = createLab()
  lab.driver.faults.refuseStart = 'unavailable'
  const { call: { callId } } = await lab.answerCall()
  await pass(lab, 5_000)
  t.match(await lab.command('pause', callId), { state: 'paused', reasons: ['agent'] })
  lab.driver.faults.refuseStart = undefined
  await pass(lab, 60_000)
  t.match(lab.follower.session(callId)!.call.recording, { phase: { status: 'paused' }, nextSegment: 6 })
  const resume = lab.command('resume', callId)
  await lab.time.advance(1000)
  t.match(await resume, { state: 'recording' })
})
