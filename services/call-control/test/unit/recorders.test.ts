import t from 'tap'
import { createFakeRecorderDriver } from '@tacet/ari'
import type { RecordingInput } from '../../src/domain/recording.ts'
import { createLull } from '../../src/usecases/lull.ts'
import { createRecorders } from '../../src/usecases/recorders.ts'
import { createFakeTime } from '../support/fake-time.ts'
import { timings } from '../support/lab.ts'
import { byAgent, byPolicy } from '../support/recording-table.ts'

const callId = 'f0000000-0000-4000-8000-000000000001'
const stereo = { callId, tracks: ['in' as const, 'out' as const], recordedLegId: 'leg', sampleRateHz: 16000 as const }
const start = { type: 'start-recorder' as const, segment: 1, cause: byPolicy, requestedAtMs: 0, isGuarded: false, attempt: 1 }

function createSetup () {
  const time = createFakeTime()
  const driver = createFakeRecorderDriver({ clock: time.clock })
  const reports: RecordingInput[] = []
  const errors: string[] = []
  const lull = createLull({ wait: time.wait, withinMs: 250 })
  const recorders = createRecorders({ driver, timings, lull, clock: time.now, wait: time.wait, newId: () => 'new-command', report: input => reports.push(input), onError: (_error, what) => errors.push(what) })
  return { time, driver, lull, reports, errors, recorders }
}

t.test('each track has a recorder of its own, on its side of the leg, at the call\'s rate', async t => {
  const { driver, recorders, reports } = createSetup()
  await recorders.start(stereo, start)
  t.match(driver.calls, [
    { name: 'start', recorderId: `tacet-${callId}-1-in`, spy: 'in', legId: 'leg', sampleRateHz: 16000, deadlineMs: timings.startTimeoutMs },
    { name: 'start', recorderId: `tacet-${callId}-1-out`, spy: 'out' },
  ])
  t.match(reports, [{ type: 'recorder-started', segment: 1, tracksOpenedAtMs: [Number, Number] }])
})

t.test('of each track it is told when it began, of the segment when all had', async t => {
  const { time, driver, recorders, reports } = createSetup()
  const begin = driver.start
  driver.start = async request => {
    if (request.spy === 'in') await time.wait(30)
    return await begin(request)
  }
  const started = recorders.start(stereo, start)
  await time.advance(30)
  await started
  const [report] = reports
  t.match(report, { type: 'recorder-started', atMs: time.now(), tracksOpenedAtMs: [time.now(), time.now() - 30] })
})

t.test('a segment of several tracks is proven stopped when all of them are', async t => {
  const { time, driver, recorders, reports } = createSetup()
  await recorders.start(stereo, start)
  const stop = driver.stop
  driver.stop = async request => {
    if (request.recorderId.endsWith('-out')) await time.wait(500)
    return await stop(request)
  }
  void recorders.stop(stereo, { segment: 1, commandId: 'c1', urgency: 'now' })
  await time.advance(499)
  t.equal(reports.length, 1)
  await time.advance(1)
  t.match(reports[1], { type: 'recorder-stopped', segment: 1, proof: 'event', atMs: time.now() })
})

t.test('a track that can not be proven stopped leaves the whole segment unproven', async t => {
  const { driver, recorders, reports, errors } = createSetup()
  await recorders.start(stereo, start)
  const stop = driver.stop
  driver.stop = async request => request.recorderId.endsWith('-out') ? await Promise.reject(new Error('no proof')) : await stop(request)
  await recorders.stop(stereo, { segment: 1, commandId: 'c1', urgency: 'now' })
  t.match(reports[1], { type: 'stop-unproven', segment: 1 })
  t.same(errors, ['recorder not proven stopped'])
})

t.test('a start of which one track fails is taken back whole', async t => {
  const { driver, recorders, reports } = createSetup()
  const begin = driver.start
  driver.start = async request => request.recorderId.endsWith('-out') ? await Promise.reject(new Error('no such leg')) : await begin(request)
  await recorders.start(stereo, start)
  t.match(reports, [{ type: 'recorder-failed', segment: 1, detail: /no such leg/ }])
  t.notOk((await driver.list()).some(({ state }) => state === 'recording'))
})

t.test('the worst proof of the tracks is that of the segment', async t => {
  const { driver, recorders, reports } = createSetup()
  await recorders.start(stereo, start)
  driver.vanish(`tacet-${callId}-1-in`)
  await recorders.stop(stereo, { segment: 1, commandId: 'c1', urgency: 'now' })
  t.match(reports[1], { type: 'recorder-stopped', proof: 'absent' })
})

t.test('a stop pre-empts a start in its guard, and reports no start', async t => {
  const { time, driver, recorders, reports } = createSetup()
  void recorders.start(stereo, { ...start, cause: byAgent, isGuarded: true, requestedAtMs: time.now() })
  t.ok(recorders.isBusy(1))
  await recorders.stop(stereo, { segment: 1, commandId: 'c1', urgency: 'now' })
  await time.advance(5000)
  t.match(reports, [{ type: 'recorder-stopped', proof: 'absent' }])
  t.notOk(driver.calls.some(({ name }) => name === 'start'))
  t.notOk(recorders.isBusy(1))
})

t.test('a recorder is not made within a packet of the last one\'s end', async t => {
  const { time, driver, recorders } = createSetup()
  const removed = recorders.discard(stereo, 1)
  void recorders.start(stereo, { ...start, segment: 2 })
  await time.advance(49)
  t.notOk(driver.calls.some(({ name }) => name === 'start'))
  await time.advance(1)
  t.ok(driver.calls.some(({ name }) => name === 'start'))
  await removed
})

t.test('a stopped recorder stays until all who wait for a pause have their answer, and no recorder is made before it is gone', async t => {
  const { time, driver, lull, recorders } = createSetup()
  const answer = Promise.withResolvers<void>()
  const answered = lull.during(() => answer.promise)
  const removed = recorders.discard(stereo, 1)
  void recorders.start(stereo, { ...start, segment: 2 })
  await time.advance(100)
  t.same(driver.calls, [])
  answer.resolve()
  await answered
  await time.settle()
  t.match(driver.calls, [{ name: 'discard' }, { name: 'discard' }])
  await time.advance(50)
  t.equal(driver.calls.filter(({ name }) => name === 'start').length, 2)
  await removed
})

t.test('once closed it starts nothing and reports nothing unproven', async t => {
  const { time, driver, recorders, reports } = createSetup()
  void recorders.start(stereo, { ...start, isGuarded: true, requestedAtMs: time.now() })
  recorders.close()
  await time.advance(5000)
  driver.stop = async () => await Promise.reject(new Error('no proof'))
  await recorders.stop(stereo, { segment: 1, commandId: null, urgency: 'seal' })
  t.same(reports, [])
  t.notOk(driver.calls.some(({ name }) => name === 'start'))
})
