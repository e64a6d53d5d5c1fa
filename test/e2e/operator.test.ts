import { createProgram, runProgram } from '@tacet/cli'
import { eventually } from '@tacet/test-kit'
import t from 'tap'
import { openOffice } from '../support/office.ts'
import { proofOf, waitForEvent } from '../support/proof.ts'
import { receiveCall, speak } from '../support/talk.ts'
import { createToken, startTacet } from '../support/tacet.ts'

t.setTimeout(180_000)
const tacet = await startTacet(t)
const office = await openOffice(t, tacet)
const { stack, services } = tacet
const env = {
  TACET_SETTINGS_URL: services.settings.url,
  TACET_CALL_CONTROL_URL: services['call-control'].url,
  TACET_ASSEMBLY_URL: services['recording-assembly'].url,
  TACET_SETTINGS_ADMIN_URL: services.settings.adminUrl,
  TACET_CALL_CONTROL_ADMIN_URL: services['call-control'].adminUrl,
  TACET_ASSEMBLY_ADMIN_URL: services['recording-assembly'].adminUrl,
  TACET_COMPANY: tacet.companyId,
  KAFKA_BROKERS: stack.kafka.brokers.join(','),
  KAFKA_TOPIC_PREFIX: tacet.topicPrefix,
  ARI_URL: stack.ari.url,
  ARI_USERNAME: stack.ari.username,
  ARI_PASSWORD: stack.ari.password,
  ARI_APP: stack.ari.app,
  RECORDINGS_DIR: tacet.recordingsDir,
  ...(stack.spoolDir && { SPOOL_DIR: stack.spoolDir }),
}

async function runAs (token: string, ...args: string[]): Promise<{ code: number, text: string }> {
  const written: string[] = []
  const code = await runProgram(createProgram({ env: { ...env, TACET_TOKEN: token }, write: text => written.push(text) }), args, text => written.push(text))
  return { code, text: written.join('') }
}
const run = (...args: string[]) => runAs(tacet.supervisorToken, ...args)
const json = async (...args: string[]) => JSON.parse((await run('--json', ...args)).text)

t.test('an operator sees the calls, stops and starts a recording, asks the doctor meanwhile, and finds what became of it', async t => {
  t.equal((await run('calls')).text, 'none\n')
  const talk = await receiveCall(office)
  await talk.isRecorded()
  await speak(talk.voices, 300)
  t.match(await run('calls'), { code: 0, text: new RegExp(`^callId +direction.*\\n${talk.callId} +inbound .*recording`) })
  t.match(await json('pause', talk.callId, '--note', 'asked by phone'), { callId: talk.callId, state: 'paused', reasons: ['supervisor'], durable: true })
  t.match(await json('calls'), [{ callId: talk.callId, recording: { state: 'paused', reasons: ['supervisor'] } }])

  const findings: { check: string, state: string, detail: string }[] = await json('doctor')
  t.same(findings.filter(({ state }) => state === 'wrong'), [])
  const states = Object.fromEntries(findings.map(({ check, state }) => [check, state]))
  t.match(states, { 'Asterisk: context tacet-recorder': 'ok', 'Asterisk: other recorders, now': 'ok', 'Asterisk: application': 'ok', 'Asterisk: clock': 'ok', 'call-control: pbx': 'ok', 'call-control: settings': 'ok', 'Kafka: topics': 'ok' })

  t.match(await json('resume', talk.callId), { state: 'recording', reasons: [] })
  await speak(talk.voices, 300)
  await talk.hangup()
  await waitForEvent(tacet, talk.callId, 'call.ended')
  t.match(await run('pause', talk.callId), { code: 1, text: /409 call-ended/ })

  const { view } = await proofOf(t, tacet, talk)
  t.match(await json('recordings', talk.callId), { recordingId: talk.callId, status: 'complete', sha256: view.sha256, gaps: 1 })
  t.match((await run('recordings')).text, new RegExp(`^recordingId +status.*\\n${talk.callId} +complete`))
  t.match(await run('jobs'), { code: 1, text: /403 forbidden/ }, 'a supervisor does not look after jobs')
  const adminToken = await createToken(tacet.settings, tacet.companyId, { kind: 'api-token', roles: ['admin'] })
  await eventually(async () => (await runAs(adminToken, 'jobs', '--state', 'parked')).text === 'none\n')
  await eventually(async () => {
    const { body } = await tacet.settings(`/v1/audit?callId=${talk.callId}`)
    return body.items.some((entry: { detail: { note?: string } }) => entry.detail.note === 'asked by phone')
  }, { timeoutMs: 20_000, message: 'the note is not in the audit log' })
})
