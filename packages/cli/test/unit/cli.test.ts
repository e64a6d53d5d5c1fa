import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { findOtherRecorders } from '../../src/doctor/dialplan-files.ts'
import { clockOf } from '../../src/doctor/services.ts'
import { fieldsOf } from '../../src/patch.ts'
import { createProgram, runProgram } from '../../src/program.ts'
import { details, table } from '../../src/table.ts'

t.test('a table is aligned, and no name can speak to the terminal', async t => {
  t.equal(table([{ name: 'Anna', recording: { inbound: 'on' } }, { name: 'B\u001b[31m', recording: null }], ['name', 'recording.inbound']),
    'name    recording.inbound\nAnna    on\nB?[31m  -\n')
  t.equal(table([], ['name']), 'none\n')
  t.equal(details({ a: 1, nested: { list: ['x', 'y'] } }), 'a            1\nnested.list  x y\n')
})

t.test('name=value is a patch: text, unless it is counted, listed or no text at all', async t => {
  t.same(fieldsOf(['name=Anna=1', 'recording.inbound=off', 'recording.internal=on', 'email=null', 'longestPauseMs=60000', 'number=100', 'endpoints=PJSIP/1001, PJSIP/1002']), {
    name: 'Anna=1', recording: { inbound: 'off', internal: 'on' }, email: null, longestPauseMs: 60_000, number: '100', endpoints: ['PJSIP/1001', 'PJSIP/1002'],
  })
  t.throws(() => fieldsOf(['name']), /name=value/)
})

t.test('other recorders are found in the files of Asterisk; comments and our own context are none', async t => {
  const text = `[from-trunk]
exten => s,1,MixMonitor(/var/x.wav)
; same => n,MixMonitor(off)
 same => n,Dial(PJSIP/1001,20,tTX)
 same => n,Dial(PJSIP/1001,20,tT)
[tacet-recorder]
exten => start,1,MixMonitor(ours)
[sales]
monitor-format = wav
[featuremap]
automixmon => *3
automixmon =>
`
  t.same(findOtherRecorders('all.conf', text).map(({ line }) => line), [2, 4, 9, 11])
  const keys = `[1001]
one_touch_recording = yes
one_touch_recording = no
[applicationmap]
rec => *9,self/both,MixMonitor,x.wav
beep => *8,self,Playback,beep
[sales]
record_conference = yes
monitor-format =
exten => 1,1,StopMixMonitor()
`
  t.same(findOtherRecorders('keys.conf', keys).map(({ line }) => line), [2, 5, 8])
  t.same(findOtherRecorders('extensions.ael', 's => {\n  MixMonitor(x.wav);\n  // MixMonitor(x.wav);\n}').map(({ line }) => line), [2])
  t.same(findOtherRecorders('extensions.lua', 'app.mixmonitor("x.wav")\n-- app.mixmonitor("x.wav")').map(({ line }) => line), [1])
})

t.test('a clock that is seconds away is named', async t => {
  const now = Date.parse('2026-11-23T09:00:00.500Z')
  t.equal(clockOf('x', 'Mon, 23 Nov 2026 09:00:00 GMT', now).state, 'ok')
  t.match(clockOf('x', 'Mon, 23 Nov 2026 09:01:00 GMT', now), { state: 'wrong', mend: /NTP/ })
  t.equal(clockOf('x', null, now).state, 'unknown')
})

t.test('what is not known is said, and what is not understood is another exit code', async t => {
  const run = async (...args: string[]) => {
    const output: string[] = []
    const program = createProgram({ env: {}, write: text => output.push(text) }).configureOutput({ writeErr: text => output.push(text) })
    return [await runProgram(program, args, text => output.push(text)), output.join('')]
  }
  t.match(await run('company', 'list'), [1, /TACET_SETTINGS_URL/])
  t.match(await run('agent', 'list'), [1, /--company/])
  t.match((await run('calls'))[0], 1)
  t.match((await run('fly'))[0], 2)
  t.match(await run('--help'), [0, /doctor/])
})

t.test('jobs are listed as asked for, and run again by their id', async t => {
  const asked: string[] = []
  const job = { jobId: '01990000-0000-7000-8000-000000000001', kind: 'encode', item: 'mp3', state: 'parked', lastError: 'gave-up' }
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    response.setHeader('content-type', 'application/json').end(JSON.stringify(request.method === 'GET' ? { items: [job], nextCursor: null } : { ...job, state: 'waiting' }))
  }).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await new Promise(resolve => server.once('listening', resolve))
  const env = { TACET_ASSEMBLY_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, TACET_TOKEN: 'x' }
  const run = async (...args: string[]) => {
    const output: string[] = []
    return [await runProgram(createProgram({ env, write: text => output.push(text) }), args, text => output.push(text)), output.join('')]
  }
  t.match(await run('jobs', '--state', 'parked', '--kind', 'encode'), [0, /^jobId +kind +item.*\n.*encode +mp3 +parked.*gave-up/])
  t.match(await run('jobs', 'rerun', job.jobId), [0, /waiting/])
  t.same(asked, ['GET /v1/jobs?state=parked&kind=encode', `POST /v1/jobs/${job.jobId}/run`])
})
