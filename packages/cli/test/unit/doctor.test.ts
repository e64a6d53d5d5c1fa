import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { checkDialplanFiles } from '../../src/doctor/dialplan-files.ts'
import type { Finding } from '../../src/doctor/finding.ts'
import { checkFolder } from '../../src/doctor/folders.ts'
import { checkPbx } from '../../src/doctor/pbx.ts'
import { checkService } from '../../src/doctor/services.ts'

type Answers = Record<string, unknown>

/** Answers by path; what is not named is 404. */
async function serve (t: Test, answers: Answers, { status = 200, date = new Date() } = {}): Promise<string> {
  const server = createServer(({ url = '' }, response) => {
    const path = decodeURIComponent(url).replace(/^\/ari\//, '')
    const body = answers[path]
    response.writeHead(body === undefined ? 404 : status, { 'content-type': 'application/json', date: date.toUTCString() }).end(JSON.stringify(body ?? {}))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const has = (channelId: string, name: string, value: string): Answers => ({ [`channels/${channelId}/variable?variable=${name}`]: { value } })
const contextOn = (channelId: string, value = '1'): Answers => Object.assign({}, ...['start', 'stop-x', 'h'].map(extension => has(channelId, `DIALPLAN_EXISTS(tacet-recorder,${extension},1)`, value)))
const channel = { id: '1.1', name: 'PJSIP/1001-1', dialplan: { app_name: 'Dial' } }
const pbx: Answers = {
  'asterisk/info': { system: { version: '22.10.1' } },
  'applications/tacet': {},
  'asterisk/modules/app_mixmonitor.so': {},
  channels: [channel, { id: 'tacet-x-1', name: 'Snoop/1.1', dialplan: { app_name: 'Stasis' } }],
  ...contextOn('1.1'),
  ...has('tacet-x-1', 'MIXMONITOR_FILENAME', '/ours.wav'),
}
const statesOf = (findings: Finding[]) => Object.fromEntries(findings.map(({ check, state }) => [check.replace('Asterisk: ', ''), state]))

async function examine (t: Test, answers: Answers, options: Parameters<typeof serve>[2] = {}): Promise<Finding[]> {
  return await checkPbx({ url: await serve(t, answers, options), username: 'tacet', password: 'x', app: 'tacet' })
}

t.test('a PBX that is as it should be, with a call up', async t => {
  t.same(statesOf(await examine(t, pbx)), { version: 'ok', clock: 'ok', MixMonitor: 'ok', application: 'ok', 'context tacet-recorder': 'ok', 'other recorders, now': 'ok' })
})

for (const [what, change, check, state] of [
  ['an Asterisk that is too old', { 'asterisk/info': { system: { version: '20.5.0~dfsg' } } }, 'version', 'wrong'],
  ['an Asterisk without MixMonitor', { 'asterisk/modules/app_mixmonitor.so': undefined }, 'MixMonitor', 'wrong'],
  ['an application that nobody registered', { 'applications/tacet': undefined }, 'application', 'wrong'],
  ['a dialplan without our context', contextOn('1.1', '0'), 'context tacet-recorder', 'wrong'],
  ['a dialplan of which only a call could tell', { channels: [] }, 'context tacet-recorder', 'unknown'],
  ['a MixMonitor that the dialplan started', has('1.1', 'MIXMONITOR_FILENAME', '/var/spool/x.wav'), 'other recorders, now', 'warning'],
  ['a one-touch recording', has('1.1', 'TOUCH_MIXMONITOR_OUTPUT', 'auto-1'), 'other recorders, now', 'warning'],
  ['a channel that is in Record()', { channels: [{ ...channel, dialplan: { app_name: 'Record' } }] }, 'other recorders, now', 'warning'],
] satisfies [string, Answers, string, Finding['state']][]) {
  t.test(`${what} is seen, and how to mend it`, async t => {
    const findings = await examine(t, { ...pbx, ...change })
    t.same(Object.entries(statesOf(findings)).filter(([, found]) => found !== 'ok'), [[check, state]])
    t.match(findings.find(finding => finding.state !== 'ok')?.mend, /./)
  })
}

t.test('a PBX that refuses, is away, or whose clock is wrong', async t => {
  t.match(await examine(t, { 'asterisk/info': {} }, { status: 401 }), [{ state: 'wrong', detail: /refuses/, mend: /ari.conf/ }])
  t.match(await checkPbx({ url: 'http://127.0.0.1:1', username: '', password: '', app: 'tacet' }), [{ state: 'wrong', mend: /http.conf/ }])
  t.match(await checkPbx(undefined), [{ state: 'unknown', mend: /ARI_URL/ }])
  t.equal(statesOf(await examine(t, pbx, { date: new Date(Date.now() - 60_000) })).clock, 'wrong')
})

t.test('a service tells what it lacks, and the doctor what to do about it', async t => {
  const url = await serve(t, { '/ready': { status: 'unavailable', checks: { database: { isOk: false, error: 'refused' }, settings: { isOk: true, state: 'stored', ageMs: 5_000 }, pbx: { isOk: false } } } }, { status: 503 })
  const findings = await checkService({ name: 'call-control', adminUrl: url, variable: 'X' })
  t.match(findings, [
    { check: 'call-control: database', state: 'wrong', detail: 'error refused', mend: /PostgreSQL/ },
    { check: 'call-control: settings', state: 'ok', detail: 'state stored, ageMs 5000' },
    { check: 'call-control: pbx', state: 'wrong', mend: /Asterisk/ },
    { check: 'call-control: clock', state: 'ok' },
  ])
  t.match(await checkService({ name: 'settings', adminUrl: undefined, variable: 'TACET_SETTINGS_ADMIN_URL' }), [{ state: 'unknown', mend: /TACET_SETTINGS_ADMIN_URL/ }])
})

t.test('folders: there or not, and the files of Asterisk with other recorders in them', async t => {
  const folder = t.testdir()
  t.not(checkFolder('spool', folder, 'write', '').state, 'wrong')
  t.match(checkFolder('spool', join(folder, 'none'), 'read', ''), { state: 'wrong', detail: /ENOENT/ })
  t.match(checkFolder('spool', null, 'read', 'set SPOOL_DIR'), { state: 'unknown', mend: 'set SPOOL_DIR' })

  mkdirSync(join(folder, 'etc'))
  writeFileSync(join(folder, 'etc/extensions.conf'), '[a]\nexten => 1,1,Dial(PJSIP/1)\n')
  t.match(checkDialplanFiles(join(folder, 'etc')), [{ state: 'ok' }])
  writeFileSync(join(folder, 'etc/queues.conf'), '[sales]\nmonitor-type = MixMonitor\n')
  writeFileSync(join(folder, 'etc/features.conf'), '[featuremap]\nautomixmon => *3\n')
  writeFileSync(join(folder, 'etc/extensions.conf'), '[a]\nexten => 1,1,MixMonitor(x.wav)\n')
  t.same(checkDialplanFiles(join(folder, 'etc')).map(({ state, detail }) => [state, detail.split(':')[0]]).sort(), [['warning', 'extensions.conf'], ['warning', 'features.conf'], ['warning', 'queues.conf']])
  t.match(checkDialplanFiles(join(folder, 'none')), [{ state: 'unknown' }])
  t.match(checkDialplanFiles(undefined), [{ state: 'unknown', mend: /--asterisk-config/ }])
})
