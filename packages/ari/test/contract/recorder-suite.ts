import { randomUUID } from 'node:crypto'
import type { Test } from 'tap'
import { eventually } from '@tacet/test-kit'
import type { RecorderDriver, StartRequest } from '@tacet/ari'

export type RecorderHarness = {
  driver: RecorderDriver
  startLeg (): Promise<{ id: string, hangUp (): Promise<void> }>
}

const deadlineMs = 5000
const newRecorderId = () => `tacet-${randomUUID()}-1`

/** What every recorder driver promises. */
export async function testRecorderDriver (t: Test, { driver, startLeg }: RecorderHarness): Promise<void> {
  async function recorderOn (leg: { id: string }, recorderId = newRecorderId()) {
    const request: StartRequest = { recorderId, legId: leg.id, spy: 'both', sampleRateHz: 8000, deadlineMs }
    return { recorderId, request, start: () => driver.start(request), stop: (commandId: string) => driver.stop({ recorderId, commandId, deadlineMs }) }
  }

  const state = async (recorderId: string) => (await driver.inspect(recorderId)).state
  const isListed = async (recorderId: string) => (await driver.list()).some((recorder) => recorder.recorderId === recorderId)

  await t.test('a recorder records until it is stopped, and stays as evidence until it is discarded', async (t) => {
    const leg = await startLeg()
    const { recorderId, start, stop } = await recorderOn(leg)
    t.equal(await state(recorderId), 'absent')

    const before = Date.now()
    const { startedAtMs } = await start()
    t.ok(startedAtMs >= before && startedAtMs <= Date.now())
    t.equal(await state(recorderId), 'recording')

    const { proof, atMs } = await stop('command-1')
    t.match(proof, /event|inspection/)
    t.ok(atMs >= startedAtMs && atMs <= Date.now())
    t.same(await driver.inspect(recorderId), { recorderId, state: 'stopped', commandId: 'command-1' })
    t.match((await driver.list()).find((each) => each.recorderId === recorderId), { state: 'stopped', commandId: 'command-1' })

    await driver.discard(recorderId, deadlineMs)
    await eventually(async () => await state(recorderId) === 'absent')
    t.notOk(await isListed(recorderId))
    await driver.discard(recorderId, deadlineMs)
    await leg.hangUp()
  })

  await t.test('twenty starts of one id at once make one recorder', async (t) => {
    const leg = await startLeg()
    const { recorderId, start } = await recorderOn(leg)
    const started = await Promise.all(Array.from({ length: 20 }, start))
    t.equal(new Set(started.map(({ startedAtMs }) => startedAtMs)).size, 1)
    t.equal((await driver.list()).filter((each) => each.recorderId === recorderId).length, 1)
    await leg.hangUp()
  })

  await t.test('a stop may be repeated, one after the other and all at once; the first command counts', async (t) => {
    const leg = await startLeg()
    const { recorderId, start, stop } = await recorderOn(leg)
    await start()
    await Promise.all(Array.from({ length: 10 }, async () => await stop('first')))
    t.match((await stop('second')).proof, /event|inspection/)
    t.match(await driver.inspect(recorderId), { state: 'stopped', commandId: 'first' })
    await leg.hangUp()
  })

  await t.test('a recorder that has been stopped does not start again', async (t) => {
    const leg = await startLeg()
    const { recorderId, start, stop } = await recorderOn(leg)
    await start()
    await stop('command')
    await t.rejects(start(), { name: 'AriError', kind: 'conflict' })
    t.equal(await state(recorderId), 'stopped', 'and its evidence is still there')
    await leg.hangUp()
  })

  await t.test('a recorder that never was is absent', async (t) => {
    const { stop } = await recorderOn({ id: 'nobody' })
    t.match(await stop('command'), { proof: 'absent' })
  })

  await t.test('a recorder whose leg hung up is absent', async (t) => {
    const leg = await startLeg()
    const { recorderId, start, stop } = await recorderOn(leg)
    await start()
    await leg.hangUp()
    await eventually(async () => await state(recorderId) === 'absent')
    t.match(await stop('command'), { proof: 'absent' })
  })

  await t.test('a leg that hangs up while it is stopped makes no stop fail', async (t) => {
    const leg = await startLeg()
    const { start, stop } = await recorderOn(leg)
    await start()
    const [stopped] = await Promise.all([stop('command'), leg.hangUp()])
    t.match(stopped.proof, /event|inspection|absent|deleted/)
  })

  await t.test('a leg that is gone can not be recorded', async (t) => {
    const leg = await startLeg()
    await leg.hangUp()
    const { recorderId, start } = await recorderOn(leg)
    await eventually(async () => await start().then(() => false, (error) => error.kind === 'not-found'))
    t.equal(await state(recorderId), 'absent')
  })

  await t.test('a stop pre-empts a start that is under way', async (t) => {
    const leg = await startLeg()
    const { recorderId, start, stop } = await recorderOn(leg)
    const starting = start()
    const stopping = stop('command')
    await t.rejects(starting, { name: 'RecorderCancelled' })
    t.match((await stopping).proof, /absent|deleted/)
    await eventually(async () => await state(recorderId) === 'absent')
    await leg.hangUp()
  })

  await t.test('a start can be called off', async (t) => {
    const leg = await startLeg()
    const { recorderId, request } = await recorderOn(leg)
    const calling = new AbortController()
    const starting = driver.start({ ...request, signal: calling.signal })
    calling.abort()
    await t.rejects(starting, { name: 'RecorderCancelled' })
    await eventually(async () => await state(recorderId) === 'absent')
    await leg.hangUp()
  })

  await t.test('names that could mean something to a dialplan are refused', async (t) => {
    const { request } = await recorderOn({ id: 'nobody' })
    await t.rejects(driver.start({ ...request, recorderId: 'tacet-$(reboot)' }), TypeError)
    await t.rejects(driver.start({ ...request, recorderId: '../x' }), TypeError)
    await t.rejects(driver.stop({ recorderId: request.recorderId, commandId: 'a,b', deadlineMs }), TypeError)
  })
}
