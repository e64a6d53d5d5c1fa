import { execFileSync } from 'node:child_process'
import { createPrivateKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { repositoryDir } from '../../src/system/paths.ts'

t.test('an environment for the containers has a secret of its own for each empty value, and a key to sign with', async (t) => {
  const [one, other] = ['one', 'other'].map((name) => {
    const file = join(t.testdir(), name)
    execFileSync(join(repositoryDir, 'infra/images/make-env.sh'), [file], { stdio: 'ignore' })
    return Object.fromEntries(readFileSync(file, 'utf8').split('\n').filter((line) => /^\w+=/.test(line)).map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]))
  }) as [Record<string, string>, Record<string, string>]
  t.same(Object.entries(one).filter(([, value]) => value === ''), [])
  t.match(one['SETTINGS_OPERATOR_TOKEN'], /^[0-9a-f]{48}$/)
  t.not(one['SETTINGS_OPERATOR_TOKEN'], other['SETTINGS_OPERATOR_TOKEN'])
  const keys = [one, other].map(({ SETTINGS_JWT_PRIVATE_KEY = '' }) => createPrivateKey(SETTINGS_JWT_PRIVATE_KEY.replaceAll('\\n', '\n')))
  t.ok(keys.every(({ asymmetricKeyDetails }) => asymmetricKeyDetails?.namedCurve === 'prime256v1'))
  t.notOk(keys[0]!.equals(keys[1]!))
})
