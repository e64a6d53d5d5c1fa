import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { fillIn, keepSecrets, writePrivately } from '../../src/system/files.ts'

t.test('placeholders and lists are filled in', async (t) => {
  const template = 'port={{port}}\n{{#agents}}\n[{{name}}] {{port}}\n{{/agents}}\nend'
  t.equal(fillIn(template, { port: 5 }, { agents: [{ name: 'anna' }, { name: 'ben' }] }), 'port=5\n[anna] 5\n[ben] 5\nend')
})

t.test("Asterisk's own variables stay", async (t) => {
  const extension = '$' + '{EXTEN}'
  t.equal(fillIn(`Dial(PJSIP/${extension}@{{trunk}})`, { trunk: 't' }), `Dial(PJSIP/${extension}@t)`)
})

t.test('a placeholder without a value is refused', async (t) => {
  t.throws(() => fillIn('{{missing}}', {}), /missing/)
  t.throws(() => fillIn('{{#none}}{{/none}}', {}), /none/)
})

t.test('a private file is for its owner only', async (t) => {
  const file = join(t.testdir(), 'deep/file.json')
  writePrivately(file, 'secret')
  t.equal(readFileSync(file, 'utf8'), 'secret')
  t.equal(statSync(file).mode & 0o777, 0o600)
})

t.test('a secret is made once and kept', async (t) => {
  const file = join(t.testdir(), 'secrets.json')
  const first = keepSecrets(file)('a')
  t.match(first, /^[A-Za-z0-9]{32}$/)
  t.equal(keepSecrets(file)('a'), first)
  t.not(keepSecrets(file)('b'), first)
  t.equal(keepSecrets(file)('c', () => 'of another kind'), 'of another kind')
  t.equal(keepSecrets(file)('c'), 'of another kind')
})
