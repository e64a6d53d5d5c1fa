import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { writeConfiguration } from '../../src/asterisk/configuration.ts'
import { startAsterisk } from '../../src/parts/asterisk.ts'
import { repositoryDir } from '../../src/system/paths.ts'

const credentials = { ARI_USERNAME: 'somebody', ARI_PASSWORD: 'ari', TRUNK_PASSWORD: 't', SIP_PASSWORD_1001: 'a', SIP_PASSWORD_1002: 'b', SIP_PASSWORD_1003: 'c' }

/** An ARI that only says which version it is, to whoever has the password; returns its address. */
async function pretendPbx (t: Test, version: string): Promise<string> {
  const authorization = `Basic ${Buffer.from('somebody:ari').toString('base64')}`
  const server = createServer((request, response) => {
    response.writeHead(request.headers.authorization === authorization ? 200 : 401).end(JSON.stringify({ system: { version } }))
  }).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function startWith (t: Test, env: Record<string, string>) {
  const { TACET_SIP_HOST: _host, TACET_SIP_PORT: _port, TACET_SPOOL_DIR: _spool, ARI_APP: _app, ...others } = process.env
  t.intercept(process, 'env', { value: { ...others, ...env } })
  const forbidden = (): never => { throw new Error('nothing of this is to be made here') }
  return startAsterisk({ dataDir: t.testdirName, signal: AbortSignal.timeout(5000), say: () => {}, launch: forbidden, secret: forbidden })
}

t.test('a PBX that is not ours is taken as it is named', async (t) => {
  const url = await pretendPbx(t, '22.10.1~dfsg+~cs6')
  t.match(await startWith(t, { ARI_URL: `${url}/`, ...credentials, ARI_APP: 'other', TACET_SIP_HOST: 'pbx.example', TACET_SIP_PORT: '5066', TACET_SPOOL_DIR: '/spool' }), {
    ari: { url, username: 'somebody', password: 'ari', app: 'other' },
    sip: { host: 'pbx.example', port: 5066 },
    spoolDir: '/spool',
    trunk: { password: 't' },
    agents: [{ sip: { password: 'a' } }, { sip: { password: 'b' } }, { sip: { password: 'c' } }],
  })
  t.match(await startWith(t, { ARI_URL: url, ...credentials }), { ari: { app: 'tacet' }, sip: { host: '127.0.0.1', port: 5060 }, spoolDir: null })
})

t.test('its passwords cannot be guessed: all that are missing are named', async (t) => {
  const { TRUNK_PASSWORD: _trunk, SIP_PASSWORD_1002: _ben, ...some } = credentials
  await t.rejects(startWith(t, { ARI_URL: 'http://127.0.0.1:1', ...some }), { name: 'Failure', message: /Missing: TRUNK_PASSWORD, SIP_PASSWORD_1002\.$/ })
})

t.test('one that is too old, or does not let us in, is refused at once', async (t) => {
  await t.rejects(startWith(t, { ARI_URL: await pretendPbx(t, '20.6.0'), ...credentials }), { name: 'Failure', message: /is 20\.6\.0; Tacet needs 22\.10\.1 or newer\.$/ })
  await t.rejects(startWith(t, { ARI_URL: await pretendPbx(t, '22.10.1'), ...credentials, ARI_PASSWORD: 'wrong' }), { name: 'Failure', message: /refuses the user somebody/ })
})

const configuration = join(repositoryDir, 'asterisk-conf')
const templates = [configuration, join(configuration, 'demo')]
  .flatMap((dir) => readdirSync(dir).filter((name) => name.endsWith('.conf')).map((name) => readFileSync(join(dir, name), 'utf8').replaceAll(/\{\{#(\w+)\}\}[^]*?\{\{\/\1\}\}/g, '')))
const placeholders = new Set(templates.flatMap((template) => [...template.matchAll(/\{\{(\w+)\}\}/g)].map(([, name = '']) => name)))

t.test('our own is told the name of the application', async (t) => {
  const etc = t.testdir()
  const values = Object.fromEntries([...placeholders].map((name) => [name, `<${name}>`]))
  writeConfiguration(etc, { ...values, ariApp: 'other' }, { agents: [], queueMembers: [] })
  t.match(readFileSync(join(etc, 'extensions.conf'), 'utf8'), /^\[globals\]\n(;.*\n)*TACET_APP = other$/m)
  t.match(readFileSync(join(etc, 'extensions_tacet.conf'), 'utf8'), /\[tacet-recorder\]/)
})

t.test('the container has a value for each placeholder, too', async (t) => {
  const script = readFileSync(join(repositoryDir, 'infra/images/asterisk/entrypoint.sh'), 'utf8')
  t.same([...placeholders].filter((name) => !new RegExp(`^(export .*\\b)?${name}=`, 'm').test(script)), [])
})
