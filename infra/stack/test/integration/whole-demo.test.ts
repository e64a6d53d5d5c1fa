import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import t from 'tap'
import type { Test } from 'tap'
import { stackSchema, timelineSchema } from '@tacet/contracts'
import { createTestDatabase, createTestTopics, eventually, readStack, readWavSamples } from '@tacet/test-kit'
import { repositoryDir } from '../../src/system/paths.ts'

const { postgres, kafka, ari, sip, trunk, agents, spoolDir } = readStack()
const database = await createTestDatabase(postgres)
const topics = await createTestTopics(kafka.brokers)
t.teardown(() => Promise.all([database.drop(), topics.drop()]))

/** All that it needs is there already and named; so this also shows that what is named is used. */
const named = {
  DATABASE_URL: database.url,
  KAFKA_BROKERS: kafka.brokers.join(','),
  KAFKA_TOPIC_PREFIX: topics.prefix,
  ARI_URL: ari.url,
  ARI_USERNAME: ari.username,
  ARI_PASSWORD: ari.password,
  ARI_APP: ari.app,
  TACET_SIP_HOST: sip.host,
  TACET_SIP_PORT: String(sip.port),
  TRUNK_PASSWORD: trunk.password,
  ...Object.fromEntries(agents.map((agent) => [`SIP_PASSWORD_${agent.extension}`, agent.sip.password])),
  ...spoolDir ? { TACET_SPOOL_DIR: spoolDir } : {},
}

/** The folder of an instance to be. The roles are the whole server's: it must not give them passwords of its own, or nobody else gets in any more. */
function instanceDir (t: Test): string {
  const passwords = Object.entries(postgres.roles).map(([role, url]) => [`${role}Password`, new URL(url).password])
  return t.testdir({ 'secrets.json': JSON.stringify(Object.fromEntries(passwords)) })
}

function start (data: string, env: Record<string, string>) {
  const { NODE_OPTIONS: _ofTap, ...others } = process.env
  const child = spawn(process.execPath, ['--conditions=@tacet/source', 'infra/stack/src/start.ts', '--demo', '--data', data],
    { cwd: repositoryDir, env: { ...others, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  t.teardown(() => child.kill('SIGTERM'))
  const shown = { text: '' }
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (chunk: string) => { shown.text += stripVTControlCharacters(chunk) })
  return { shown, exited: once(child, 'close') }
}

t.test('npm start -- --demo plays the call, proves its promise, leaves three files and nothing else that runs', async (t) => {
  const data = instanceDir(t)
  const { shown, exited } = start(data, named)
  const addressBook = join(data, 'stack.json')
  await eventually(() => existsSync(addressBook), { timeoutMs: 60_000, message: 'stack.json' })

  t.equal(statSync(addressBook).mode & 0o777, 0o600)
  const stack = stackSchema.required({ settings: true, callControl: true, assembly: true, recordingsDir: true, companyId: true, adminToken: true, operatorToken: true }).parse(JSON.parse(readFileSync(addressBook, 'utf8')))
  t.match(stack, { postgres: { url: database.url }, kafka: { brokers: kafka.brokers, topicPrefix: topics.prefix }, ari, sip, trunk, spoolDir })
  t.equal(stack.agents.length, 3)
  for (const agent of stack.agents) t.ok(agent.sip.password && agent.apiToken && agent.deviceToken, agent.name)
  t.equal(stack.numbers.length, 3)
  for (const url of [`${stack.settings.url}/v1/companies/${stack.companyId}`, `${stack.callControl.url}/v1/calls`, `${stack.assembly.url}/v1/recordings`]) {
    t.equal((await fetch(url, { headers: { authorization: `Bearer ${stack.adminToken}` } })).status, 200, url)
  }
  t.equal((await fetch(`${stack.settings.url}/v1/companies`, { headers: { authorization: `Bearer ${stack.operatorToken}` } })).status, 200)

  const [code] = await exited
  t.equal(code, 0, shown.text)
  t.match(shown.text, /☎ ringing[^]*● recording[^]*‖ paused[^]*● recording[^]*■ ended[^]*✓ assembled[^]*not recorded[^]*agent: Anna/)
  const report = JSON.parse(readFileSync(join(data, 'demo/report.json'), 'utf8'))
  t.match(report, { isKept: true, checks: Array })
  const timeline = timelineSchema.parse(JSON.parse(readFileSync(join(data, 'demo/timeline.json'), 'utf8')))
  t.match(timeline, { outcome: 'complete', gaps: [{ reasons: ['agent'], by: [{ agentId: stack.agents[0]?.agentId }] }] })
  t.equal(readWavSamples(join(data, 'demo/recording.wav')).length, timeline.samples)

  t.notOk(existsSync(addressBook), 'the address book is there only while it is true')
  for (const { adminUrl } of [stack.settings, stack.callControl, stack.assembly]) await t.rejects(fetch(`${adminUrl}/live`))
})

t.test('it ends with 1 and says why when a part is not what it needs', async (t) => {
  const data = instanceDir(t)
  const { shown, exited } = start(data, { ...named, ARI_PASSWORD: 'wrong' })
  t.same(await exited, [1, null])
  t.match(shown.text, `Asterisk at ${ari.url} refuses the user ${ari.username} (ARI_USERNAME) or the password (ARI_PASSWORD).`)
  t.notOk(existsSync(join(data, 'stack.json')))
})
