import t from 'tap'
import { isNewEnough, versionIn } from '../../src/asterisk/version.ts'

t.test('the version is found in whatever Asterisk says', async (t) => {
  t.equal(versionIn('Asterisk 22.10.1~dfsg+~cs6.15.60671435-1'), '22.10.1')
  t.equal(versionIn('certified/22.8-cert1'), '22.8')
  t.equal(versionIn('Asterisk GIT-master-3f2a1b0\n'), 'Asterisk GIT-master-3f2a1b0')
})

t.test('22.10.1 is the oldest that will do, and what names no version will not', async (t) => {
  for (const version of ['22.10.1', '22.10.2', '22.11', '23.0.0']) t.ok(isNewEnough(version), version)
  for (const version of ['22.10', '22.10.0', '22.9.9', '20.99.0', '9.0.0', 'Asterisk GIT-master']) t.notOk(isNewEnough(version), version)
})
