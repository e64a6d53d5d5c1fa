import { randomUUID } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import t from 'tap'
import type { Test } from 'tap'
import { eventually } from '@tacet/test-kit'
import type { AriRest, RecorderDriver } from '@tacet/ari'
import { createDriver, createListener, readPbx, startLeg, startListener, startRecorders, TEST_APP, TEST_CONTEXT } from '../helpers/pbx.ts'
import { openProxy } from '../helpers/proxy.ts'

const pbx = readPbx()
const deadlineMs = 4000
const newRecorderId = () => `tacet-${randomUUID()}-1`

async function startAll (t: Test, options: Parameters<typeof startRecorders>[1] = {}) {
  const recorders = await startRecorders(pbx, options)
  const leg = await startLeg(pbx)
  t.teardown(async () => { await leg.hangUp(); await recorders.connection.close() })
  return { ...recorders, rest: recorders.connection.rest, leg }
}

const start = (driver: RecorderDriver, recorderId: string, legId: string, more = {}) =>
  driver.start({ recorderId, legId, spy: 'both', sampleRateHz: 8000, deadlineMs, ...more })

/** The stored file, and whether its header agrees with its size: Asterisk writes the sizes when it closes the file. */
async function readFile (rest: AriRest, recorderId: string) {
  const { stream, sizeBytes } = await rest.storedRecordingFile(`tacet/${recorderId}`)
  const bytes = await buffer(stream)
  const dataBytes = bytes.readUInt32LE(40)
  const isFinal = bytes.length === sizeBytes && bytes.readUInt32LE(4) === bytes.length - 8 && dataBytes === bytes.length - 44
  return { isFinal, dataBytes, rateHz: bytes.readUInt32LE(24), bytes }
}

/** Long enough that a file whose header is not final has sizes of 0 and a hole in its buffer. */
const speakFor = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

t.test('when a stop is proven, the file is closed and its header final', async (t) => {
  const { driver, rest, leg } = await startAll(t)
  for (const [sampleRateHz, spy] of [[8000, 'both'], [16000, 'both'], [8000, 'in'], [8000, 'out']] as const) {
    const recorderId = newRecorderId()
    await start(driver, recorderId, leg.id, { sampleRateHz, spy })
    await speakFor(300)
    const { proof } = await driver.stop({ recorderId, commandId: 'command', deadlineMs })
    const file = await readFile(rest, recorderId)
    t.equal(proof, 'event')
    t.ok(file.isFinal, `${sampleRateHz} ${spy}`)
    t.equal(file.rateHz, sampleRateHz)
    t.ok(file.dataBytes > sampleRateHz * 2 * 0.1, `${file.dataBytes} bytes`)
    await driver.discard(recorderId, deadlineMs)
    await rest.deleteStoredRecording(`tacet/${recorderId}`)
    await t.rejects(rest.storedRecordingFile(`tacet/${recorderId}`), { name: 'AriError', kind: 'not-found' })
  }
})

t.test('a stop that comes after the recorder ended says when that was', async (t) => {
  const { driver, leg } = await startAll(t)
  const recorderId = newRecorderId()
  await start(driver, recorderId, leg.id)
  await leg.hangUp()
  await eventually(async () => (await driver.inspect(recorderId)).state === 'absent')
  await speakFor(300)
  const askedAtMs = Date.now()
  const { proof, atMs } = await driver.stop({ recorderId, commandId: 'command', deadlineMs })
  t.equal(proof, 'absent')
  t.ok(atMs < askedAtMs - 200, `${askedAtMs - atMs} ms before it was asked`)
})

t.test('the two directions of a leg are two recorders', async (t) => {
  const { driver, rest, leg } = await startAll(t)
  const recorderId = newRecorderId()
  const tracks = (['in', 'out'] as const).map((spy) => ({ recorderId: `${recorderId}-${spy}`, spy }))
  await Promise.all(tracks.map(async ({ recorderId, spy }) => await start(driver, recorderId, leg.id, { spy })))
  await speakFor(700) // the tone begins half a second after the answer
  await Promise.all(tracks.map(async ({ recorderId }) => await driver.stop({ recorderId, commandId: 'command', deadlineMs })))
  const [heard, said] = await Promise.all(tracks.map(async ({ recorderId }) => await readFile(rest, recorderId)))
  const isSilent = ({ bytes }: { bytes: Buffer }) => bytes.subarray(44).every((byte) => byte === 0)
  t.not(isSilent(heard!), isSilent(said!), 'one side speaks, the other does not')
})

t.test('instances that come upon a recorder another one has just made start no second, and all see it record', async (t) => {
  const { connection, driver, rest, leg } = await startAll(t)
  const recorderId = newRecorderId()
  const others = Array.from({ length: 3 }, () => createDriver(connection))
  const drivers = [driver, ...others]
  const first = start(driver, recorderId, leg.id)
  // Not at the same moment: that can kill Asterisk.
  await eventually(async () => (await rest.getChannel(recorderId)).id === recorderId, { intervalMs: 1, message: 'no recorder was made' })
  await Promise.all([first, ...others.map(async (each) => await start(each, recorderId, leg.id))])
  t.same((await driver.list()).filter((each) => each.recorderId === recorderId), [{ recorderId, state: 'recording' }])
  await speakFor(200)
  const stopped = await Promise.all(drivers.map(async (each) => await each.stop({ recorderId, commandId: 'command', deadlineMs })))
  t.ok(stopped.every(({ proof }) => proof === 'event' || proof === 'inspection'))
  const { isFinal, dataBytes } = await readFile(connection.rest, recorderId)
  t.ok(isFinal)
  t.ok(dataBytes > 1600, 'no later start emptied the file')
})

t.test('an instance that knows nothing of a recorder stops it', async (t) => {
  const { connection, driver, leg } = await startAll(t)
  const recorderId = newRecorderId()
  await start(driver, recorderId, leg.id)
  const stopped = await createDriver(connection).stop({ recorderId, commandId: 'command', deadlineMs })
  t.equal(stopped.proof, 'inspection')
  await speakFor(200)
  t.same(await createDriver(connection).stop({ recorderId, commandId: 'other', deadlineMs }), stopped, 'however late one looks, it was stopped when it was')
  t.match(await driver.inspect(recorderId), { state: 'stopped', commandId: 'command' })
})

t.test('a recorder that was created but never began is hung up', async (t) => {
  const { connection, rest, leg } = await startAll(t)
  const recorderId = newRecorderId()
  await rest.snoop({ channelId: leg.id, snoopId: recorderId, spy: 'both', app: TEST_APP })
  const driver = createDriver(connection)
  await eventually(async () => (await driver.inspect(recorderId)).state === 'created')
  t.match(await driver.stop({ recorderId, commandId: 'command', deadlineMs }), { proof: 'deleted' })
  await t.rejects(rest.continueInDialplan(recorderId, TEST_CONTEXT, 'start', 1), { name: 'AriError', kind: 'not-found' })
})

t.test('a start that arrives after the stop does not open the file again', async (t) => {
  const { driver, rest, leg } = await startAll(t)
  const recorderId = newRecorderId()
  await start(driver, recorderId, leg.id)
  await speakFor(200)
  await driver.stop({ recorderId, commandId: 'command', deadlineMs })
  const before = await readFile(rest, recorderId)
  await rest.continueInDialplan(recorderId, TEST_CONTEXT, 'start', 1)
  await speakFor(200)
  t.same(await driver.inspect(recorderId), { recorderId, state: 'stopped', commandId: 'command' })
  t.same((await readFile(rest, recorderId)).bytes, before.bytes)
})

t.test('with nobody on the websocket a recorder is stopped all the same', async (t) => {
  const { connection, driver, leg } = await startAll(t)
  const inStasis = newRecorderId()
  const knocking = newRecorderId()
  for (const recorderId of [inStasis, knocking]) await start(driver, recorderId, leg.id)
  await speakFor(200)
  await connection.close()

  const other = createListener(pbx)
  t.teardown(() => other.close())
  const late = createDriver(other)
  t.match(await late.stop({ recorderId: inStasis, commandId: 'command', deadlineMs }), { proof: 'inspection' })
  t.same(await late.inspect(inStasis), { recorderId: inStasis, state: 'stopped', commandId: 'command' }, 'the evidence waits')

  // As if it had begun after the websocket was lost: it can't enter Stasis, so it can't be sent anywhere.
  await other.rest.continueInDialplan(knocking, TEST_CONTEXT, 'started', 1)
  await eventually(async () => (await other.rest.getChannel(knocking)).dialplan.app_name === 'Wait')
  t.match(await late.stop({ recorderId: knocking, commandId: 'command', deadlineMs }), { proof: 'deleted' })
  for (const recorderId of [inStasis, knocking]) t.ok((await readFile(other.rest, recorderId)).isFinal)
})

t.test('a recorder that knocks when its controller comes back is stopped as ever', async (t) => {
  const { connection, driver, leg } = await startAll(t)
  const { rest } = createListener(pbx)
  t.teardown(() => rest.close())
  const recorderId = newRecorderId()
  await start(driver, recorderId, leg.id)
  await connection.close()
  await rest.continueInDialplan(recorderId, TEST_CONTEXT, 'started', 1)
  const back = createListener(pbx, { onArrival: (event) => again.onEvent(event) })
  const again: RecorderDriver = createDriver(back)
  t.teardown(() => back.close())
  await startListener(back)
  t.match((await again.stop({ recorderId, commandId: 'command', deadlineMs })).proof, /event|inspection/)
})

t.test('a stop is not believed while Asterisk does not answer', async (t) => {
  const proxy = await openProxy(pbx)
  t.teardown(proxy.close)
  const leg = await startLeg(pbx)
  t.teardown(leg.hangUp)
  const { connection, driver } = await startRecorders(proxy.pbx)
  t.teardown(() => connection.close())
  const recorderId = newRecorderId()
  await start(driver, recorderId, leg.id)

  proxy.freeze()
  const startedAt = Date.now()
  await t.rejects(driver.stop({ recorderId, commandId: 'command', deadlineMs: 800 }), { name: 'RecorderUnconfirmed' })
  t.ok(Date.now() - startedAt < 4000, 'and says so at the deadline')
  proxy.thaw()
  await proxy.cut()
  await t.rejects(driver.stop({ recorderId, commandId: 'command', deadlineMs: 300 }), { name: 'RecorderUnconfirmed' })
  await proxy.mend()
  t.match((await driver.stop({ recorderId, commandId: 'command', deadlineMs })).proof, /event|inspection|deleted/)
})

t.test('an answer that is lost on the way makes no second recorder and no lost stop', async (t) => {
  const proxy = await openProxy(pbx)
  t.teardown(proxy.close)
  const leg = await startLeg(pbx)
  t.teardown(leg.hangUp)
  const { connection, driver } = await startRecorders(proxy.pbx)
  t.teardown(() => connection.close())
  for (const lost of [/POST .*\/snoop\//, /POST .*extension=start/, /POST .*extension=stop-/]) {
    const recorderId = newRecorderId()
    proxy.loseAnswerTo(lost)
    await start(driver, recorderId, leg.id)
    await speakFor(200)
    t.match((await driver.stop({ recorderId, commandId: 'command', deadlineMs })).proof, /event|inspection/)
    const { isFinal, dataBytes } = await readFile(connection.rest, recorderId)
    t.ok(isFinal && dataBytes > 1600, `${lost}: ${dataBytes} bytes`)
  }
})

t.test('a start that gets no answer leaves no recorder behind', async (t) => {
  const proxy = await openProxy(pbx)
  t.teardown(proxy.close)
  const leg = await startLeg(pbx)
  t.teardown(leg.hangUp)
  const { connection, driver } = await startRecorders(proxy.pbx)
  t.teardown(() => connection.close())
  const recorderId = newRecorderId()
  proxy.freeze()
  await t.rejects(start(driver, recorderId, leg.id, { deadlineMs: 300 }), { name: 'AriError', kind: 'timeout' })
  proxy.thaw()
  t.match(await driver.stop({ recorderId, commandId: 'command', deadlineMs }), { proof: 'absent' })
})

t.test('twenty stops at once are all proven', async (t) => {
  const { driver, leg } = await startAll(t)
  const recorderIds = Array.from({ length: 20 }, newRecorderId)
  await Promise.all(recorderIds.map(async (recorderId) => await start(driver, recorderId, leg.id)))
  const startedAt = performance.now()
  const stopped = await Promise.all(recorderIds.map(async (recorderId) => await driver.stop({ recorderId, commandId: 'command', deadlineMs })))
  t.comment(`20 stops in ${Math.round(performance.now() - startedAt)} ms`)
  t.ok(stopped.every(({ proof }) => proof === 'event' || proof === 'inspection'))
  await Promise.all(recorderIds.map(async (recorderId) => await driver.discard(recorderId, deadlineMs)))
})
