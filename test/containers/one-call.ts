import { createHash, randomInt, randomUUID } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, parseEnv } from 'node:util'
import { recordingViewSchema } from '@tacet/contracts'
import { createHttpClient, eventually, freePort, readWavSamples, type HttpClient } from '@tacet/test-kit'
import t from 'tap'
import { DockerComposeEnvironment, Wait, type StartedDockerComposeEnvironment } from 'testcontainers'
import { numbers, openOffice } from '../support/office.ts'
import { checkAudio } from '../support/proof.ts'
import { pauseOnce, receiveCall } from '../support/talk.ts'
import type { Tacet, TestAgent } from '../support/tacet.ts'

// `npm run test:containers`, with `-- --offline` on the stand-ins of infra/images/offline.
const { values: { offline } } = parseArgs({ options: { offline: { type: 'boolean', default: false } } })
const root = join(import.meta.dirname, '../..')
const startTimeoutMs = 600_000
t.setTimeout(1_800_000) // the first build of the images takes its time

const home = await mkdtemp(join(tmpdir(), 'tacet-containers-'))
process.on('exit', () => rmSync(home, { recursive: true, force: true })) // also when nothing came up, where tap does not get to its teardown
const [sipPort, settingsPort, callControlPort, assemblyPort] = [await freePort(), await freePort(), await freePort(), await freePort()]
const rtpStart = 30_000 + 20 * randomInt(100) // below the ports that Linux gives out by itself
const envFile = join(home, 'env')
const secrets = await makeSecrets()
const stack = await composeUp({
  SIP_PORT: `${sipPort}`,
  RTP_PORTS: `${rtpStart}-${rtpStart + 19}`,
  SETTINGS_PORT: `${settingsPort}`,
  CALL_CONTROL_PORT: `${callControlPort}`,
  RECORDING_ASSEMBLY_PORT: `${assemblyPort}`,
})
const urlOf = (port: number): string => `http://127.0.0.1:${port}`
const assembly = createHttpClient(urlOf(assemblyPort))
const tacet = await openTacet()
const office = await openOffice(t, tacet)

t.test('the images record a call, and nothing of what is said while it is paused', async t => {
  const talk = await receiveCall(office)
  await pauseOnce(talk, 1_000)
  await talk.hangup()

  const token = tacet.supervisorToken
  const view = await eventually(async () => {
    const { status, body } = await assembly(`/v1/recordings/${talk.callId}`, { token })
    return status === 200 && body.status === 'complete' ? recordingViewSchema.parse(body) : undefined
  }, { timeoutMs: 30_000, message: 'the call has no complete recording' })
  t.equal(view.gaps, 1, 'the recording has one gap')
  const audio = await fetch(new URL(view.links.audio ?? '', urlOf(assemblyPort)), { headers: { authorization: `Bearer ${token}` } })
  const bytes = Buffer.from(await audio.arrayBuffer())
  t.equal(createHash('sha256').update(bytes).digest('hex'), view.sha256, 'the audio is what was announced')
  const file = join(home, 'recording.wav')
  await writeFile(file, bytes)
  checkAudio(t, { samples: readWavSamples(file) }, talk)
  await eventually(async () => await run('asterisk-1', 'ls', '/var/spool/asterisk/recording/tacet') === '', { timeoutMs: 10_000, message: 'segments were left in the spool' })
})

t.test('the containers have no privileges', async t => {
  for (const name of ['settings-1', 'call-control-1', 'recording-assembly-1', 'asterisk-1']) {
    t.equal(await run(name, 'id', '-u'), '1000', `${name} is not root`)
    t.not((await stack.getContainer(name).exec(['touch', '/tried'])).exitCode, 0, `${name} can't write to its root`)
  }
  for (const name of ['postgres-1', 'kafka-1']) t.not(await run(name, 'id', '-u'), '0', `${name} is not root`)
})

async function makeSecrets (): Promise<Record<string, string>> {
  execFileSync(join(root, 'infra/images/make-env.sh'), [envFile], { stdio: 'ignore' })
  return parseEnv(await readFile(envFile, 'utf8')) as Record<string, string>
}

async function composeUp (ports: Record<string, string>): Promise<StartedDockerComposeEnvironment> {
  const files = ['docker-compose.yml', ...offline ? ['infra/images/offline/docker-compose.offline.yml'] : []]
  const environment = await new DockerComposeEnvironment(root, files)
    .withProjectName(`tacet-test-${randomUUID().slice(0, 8)}`)
    .withEnvironmentFile(envFile) // in place of the .env of somebody who runs Tacet from here
    .withEnvironment(ports)
    .withAutoCleanup(!offline) // by an image of the registry; without it, a test that is killed leaves its containers
    .withBuild()
    .withDefaultWaitStrategy(Wait.forHealthCheck())
    .withStartupTimeout(startTimeoutMs)
    .up()
  t.teardown(() => environment.down())
  return environment
}

/** Runs a command in a container; returns what it printed. */
async function run (name: string, ...command: string[]): Promise<string> {
  const { output, exitCode } = await stack.getContainer(name).exec(command)
  if (exitCode !== 0) throw new Error(`${command.join(' ')} in ${name} failed: ${output}`)
  return output.trim()
}

/** A company with Anna in it, and as much of a Tacet as the calls of the other tests need. */
async function openTacet (): Promise<Tacet> {
  const callControl = createHttpClient(urlOf(callControlPort))
  const settings = createHttpClient(urlOf(settingsPort), { token: secrets.SETTINGS_OPERATOR_TOKEN ?? '' })
  await eventually(async () => (await settings('/v1/companies').catch(() => undefined))?.status === 200, { timeoutMs: 60_000, message: 'the settings service does not answer' })
  const company = `/v1/companies/${randomUUID()}`
  const agentId = randomUUID()
  await ask(settings, company, { method: 'PUT', body: { name: 'Example Ltd', recording: { inbound: 'on', outbound: 'on', internal: 'on' }, agentInitiatedPause: 'allow' } })
  await ask(settings, `${company}/numbers/${randomUUID()}`, { method: 'PUT', body: { number: numbers.direct } })
  await ask(settings, `${company}/agents/${agentId}`, { method: 'PUT', body: { name: 'Anna', endpoints: ['PJSIP/1001'] } })
  const { token } = await ask(settings, `${company}/credentials`, { body: { kind: 'api-token', agentId, label: 'test', roles: ['agent'] } })
  const { token: supervisorToken } = await ask(settings, `${company}/credentials`, { body: { kind: 'api-token', label: 'test', roles: ['supervisor'] } })

  // Both travel by Kafka: the settings in one partition, so the agent comes last, and the credentials in another.
  await eventually(async () => await run('postgres-1', 'psql', '-U', 'postgres', '-d', 'tacet', '-Atc', `select count(*) from call_control.replica where entity_id = '${agentId}'`) === '1',
    { timeoutMs: 60_000, message: 'the settings did not reach call-control' })
  await eventually(async () => {
    const answers = await Promise.all([callControl('/v1/calls', { token: supervisorToken }), callControl('/v1/calls', { token }), assembly('/v1/recordings', { token: supervisorToken })])
    return answers.every(({ status }) => status === 200)
  }, { timeoutMs: 60_000, message: 'the tokens did not reach call-control and recording-assembly' })

  const account = (username: string) => ({ username, password: secrets[`SIP_PASSWORD_${username}`] ?? '' })
  const agents = ['1001', '1002', '1003'].map((extension): TestAgent => ({ agentId, extension, sip: account(extension), token, deviceToken: '' }))
  const sipStack = { sip: { host: '127.0.0.1', port: sipPort }, trunk: { username: 'trunk', password: secrets.TRUNK_PASSWORD ?? '', endpoint: 'trunk' } }
  return { stack: sipStack, agents, supervisorToken, settings, callControl, assembly } as Partial<Tacet> as Tacet
}

async function ask (settings: HttpClient, path: string, request: Parameters<HttpClient>[1]): Promise<any> {
  const { status, body } = await settings(path, request)
  if (status >= 300) throw new Error(`settings answered ${status} to ${path}: ${JSON.stringify(body)}`)
  return body
}
