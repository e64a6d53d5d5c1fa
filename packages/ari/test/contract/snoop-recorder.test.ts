import t from 'tap'
import { readPbx, startLeg, startRecorders } from '../helpers/pbx.ts'
import { testRecorderDriver } from './recorder-suite.ts'

const pbx = readPbx()

t.test('the snoop recorders of a real Asterisk keep the promises of a recorder driver', async (t) => {
  const { connection, driver } = await startRecorders(pbx)
  t.teardown(() => connection.close())
  await testRecorderDriver(t, { driver, startLeg: () => startLeg(pbx) })
})

t.test('they keep them by looking, too, when no event is heard', async (t) => {
  const { connection, driver } = await startRecorders(pbx, { isDeaf: true })
  t.teardown(() => connection.close())
  await testRecorderDriver(t, { driver, startLeg: () => startLeg(pbx) })
})
