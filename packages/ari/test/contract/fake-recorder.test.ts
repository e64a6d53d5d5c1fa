import { randomUUID } from 'node:crypto'
import t from 'tap'
import { createFakeRecorderDriver } from '@tacet/ari'
import { testRecorderDriver } from './recorder-suite.ts'

t.test('the fake keeps the promises of a recorder driver', async (t) => {
  const driver = createFakeRecorderDriver()
  await testRecorderDriver(t, {
    driver,
    startLeg: async () => {
      const id = randomUUID()
      return { id, hangUp: async () => driver.hangUpLeg(id) }
    },
  })
})

t.test('the fake goes wrong when told to', async (t) => {
  const driver = createFakeRecorderDriver()
  const request = { recorderId: 'tacet-1', legId: 'leg', spy: 'both', sampleRateHz: 8000, deadlineMs: 20 } as const
  const stop = { recorderId: 'tacet-1', commandId: 'c', deadlineMs: 20 }

  driver.faults.refuseStart = 'unavailable'
  await t.rejects(driver.start(request), { name: 'AriError', kind: 'unavailable' })
  t.match(await driver.inspect('tacet-1'), { state: 'absent' })

  Object.assign(driver.faults, { refuseStart: undefined, startDelayMs: 1000 })
  await t.rejects(driver.start(request), { name: 'AriError', kind: 'timeout' })

  Object.assign(driver.faults, { startDelayMs: 0, loseStopProof: true })
  await driver.start(request)
  await t.rejects(driver.stop(stop), { name: 'RecorderUnconfirmed' })
  t.match(await driver.inspect('tacet-1'), { state: 'recording' })

  driver.vanish('tacet-1')
  t.match(await driver.stop(stop), { proof: 'absent' })

  Object.assign(driver.faults, { loseStopProof: false, loseStartProof: true })
  await t.rejects(driver.start(request), { name: 'RecorderUnconfirmed' })
  t.match(await driver.inspect('tacet-1'), { state: 'recording' })
})
