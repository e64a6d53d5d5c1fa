import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { setPriority, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Stack } from '@tacet/contracts'
import pg from 'pg'
import { createHttpClient, createTestDatabase, createTestTopics, eventually, freePort, kafkaProbe, readStack, type HttpClient, type KafkaProbe } from '@tacet/test-kit'
import { runToEnd, scriptOf, startService, type ServiceOptions, type ServiceProcess } from './processes.ts'

export interface TestAgent { agentId: string, extension: string, sip: { username: string, password: string }, token: string, deviceToken: string }

export interface Tacet {
  stack: Stack
  companyId: string
  agents: [TestAgent, TestAgent, TestAgent]
  supervisorToken: string
  settings: HttpClient
  callControl: HttpClient
  assembly: HttpClient
  probe: KafkaProbe
  topicPrefix: string
  services: Record<ServiceOptions['name'], ServiceProcess>
  /** Starts it (again), with `env` added for this once. */
  start: (name: ServiceOptions['name'], env?: Record<string, string>) => Promise<ServiceProcess>
  /** One more call-control beside the other, on the same PBX and database. */
  startSecond: () => Promise<ServiceProcess>
  logDir: string
  recordingsDir: string
  putCompany: (change: Record<string, unknown>) => Promise<void>
  putNumber: (e164: string, change: Record<string, unknown>) => Promise<void>
  putAgent: (index: 0 | 1 | 2, change: Record<string, unknown>) => Promise<void>
}

export interface Owner { teardown: (close: () => unknown) => void }

export interface TacetOptions { /** Of call-control and recording-assembly. */ env?: Record<string, string>, stack?: Stack, keepLogs?: boolean, /** What `npm run build` made is run, not the sources. */ isCompiled?: boolean }

const allOn = { inbound: 'on', outbound: 'on', internal: 'on' }
const names: ServiceOptions['name'][] = ['settings', 'call-control', 'recording-assembly']

/** A Tacet of its own on the real stack: database, topics, the three services, a company with three agents. Closed with the test. */
export async function startTacet (t: Owner, { env = {}, stack = readStack(), isCompiled = false, keepLogs = process.env.TACET_KEEP_LOGS !== undefined }: TacetOptions = {}): Promise<Tacet> {
  keepPace()
  const home = await mkdtemp(join(tmpdir(), 'tacet-e2e-'))
  if (keepLogs) process.stderr.write(`logs: ${home}\n`)
  else t.teardown(() => rm(home, { recursive: true, force: true }))
  const [database, topics] = await Promise.all([createTestDatabase(stack.postgres), createTestTopics(stack.kafka.brokers)])
  t.teardown(() => Promise.all([database.drop(), topics.drop()]))
  const operatorToken = randomBytes(24).toString('base64url')
  const recordingsDir = join(home, 'recordings')
  const common = { KAFKA_BROKERS: stack.kafka.brokers.join(','), KAFKA_TOPIC_PREFIX: topics.prefix, RATE_LIMIT_PER_MINUTE: '100000' }
  const ari = { ARI_URL: stack.ari.url, ARI_USERNAME: stack.ari.username, ARI_PASSWORD: stack.ari.password, ARI_APP: stack.ari.app }
  const envs: Record<ServiceOptions['name'], Record<string, string>> = {
    settings: { ...common, DATABASE_URL: database.urls.settings, SETTINGS_OPERATOR_TOKEN: operatorToken },
    'call-control': { ...common, ...ari, DATABASE_URL: database.urls.call_control, PBX_ID: `test-${randomBytes(4).toString('hex')}`, LEASE_TTL_MS: '3000', ...env },
    'recording-assembly': { ...common, ...ari, DATABASE_URL: database.urls.recording_assembly, RECORDINGS_DIR: recordingsDir, ...env },
  }
  const migrated = names.map(name => runToEnd(scriptOf(name, 'db/migrate', isCompiled), { DATABASE_URL: envs[name].DATABASE_URL!, LOG_LEVEL: 'info' }, join(home, `${name}-migrate.log`)))
  const ports = Object.fromEntries(await Promise.all(names.map(async name => [name, { httpPort: await freePort(), adminPort: await freePort() }]))) as Record<ServiceOptions['name'], { httpPort: number, adminPort: number }>
  await Promise.all(migrated)

  const services = {} as Tacet['services']
  const start: Tacet['start'] = async (name, more) => {
    services[name] = await startService({ name, env: { ...envs[name], ...more }, ...ports[name], logDir: home, isCompiled })
    return services[name]
  }
  const seconds: ServiceProcess[] = []
  const startSecond = async () => {
    const second = await startService({ name: 'call-control', env: envs['call-control'], httpPort: await freePort(), adminPort: await freePort(), logDir: home, isStandby: true })
    seconds.push(second)
    return second
  }
  t.teardown(() => Promise.all([...Object.values(services), ...seconds].filter(service => service.isRunning()).map(service => service.kill('SIGTERM'))))
  await Promise.all(names.map(async name => await start(name)))

  const probe = await kafkaProbe({ brokers: stack.kafka.brokers, topics: topics.topics, from: 'beginning' })
  t.teardown(() => probe.close())
  const settings = createHttpClient(services.settings.url, { token: operatorToken })
  const seeded = await seed(settings, stack)
  const tacet: Tacet = {
    stack,
    ...seeded,
    settings,
    callControl: createHttpClient(services['call-control'].url),
    assembly: createHttpClient(services['recording-assembly'].url),
    probe,
    topicPrefix: topics.prefix,
    services,
    start,
    startSecond,
    logDir: home,
    recordingsDir,
    putCompany: async change => await arrival(database.url, await putCompany(settings, seeded.companyId, change)),
    putNumber: async (e164, change) => await arrival(database.url, await putNumber(settings, seeded.companyId, seeded.numberIds[e164] ?? '', { number: e164, ...change })),
    putAgent: async (index, change) => await arrival(database.url, await putAgent(settings, seeded.companyId, seeded.agents[index], change)),
  }
  await arrival(database.url, seeded.last)
  await eventually(async () => {
    const answers = await Promise.all([tacet.callControl, tacet.assembly].map((service, index) => service(index === 0 ? '/v1/calls' : '/v1/recordings', { token: seeded.supervisorToken })))
    return answers.every(answer => answer.status === 200)
  }, { message: 'the credentials did not reach the other services' })
  return tacet
}

interface Versioned { id: string, version: number }

/** Settings reach call-control by Kafka; its stored copy says when. */
async function arrival (databaseUrl: string, { id, version }: Versioned): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    await eventually(async () => {
      const { rows } = await client.query('select 1 from call_control.replica where entity_id = $1 and version >= $2', [id, version])
      return rows.length > 0
    }, { message: `version ${version} of ${id} did not reach call-control` })
  } finally {
    await client.end()
  }
}

async function seed (settings: HttpClient, stack: Stack): Promise<Pick<Tacet, 'companyId' | 'agents' | 'supervisorToken'> & { numberIds: Record<string, string>, last: Versioned }> {
  const companyId = randomUUID()
  await putCompany(settings, companyId, {})
  const numberIds = Object.fromEntries(stack.numbers.map(({ e164 }) => [e164, randomUUID()]))
  for (const [e164, numberId] of Object.entries(numberIds)) await putNumber(settings, companyId, numberId, { number: e164 })
  const agents: TestAgent[] = []
  let last: Versioned = { id: companyId, version: 1 }
  for (const { extension, sip } of stack.agents) {
    const agent = { agentId: randomUUID(), extension, sip, token: '', deviceToken: '' }
    last = await putAgent(settings, companyId, agent, {})
    agents.push({
      ...agent,
      token: await createToken(settings, companyId, { kind: 'api-token', agentId: agent.agentId, roles: ['agent'] }),
      deviceToken: await createToken(settings, companyId, { kind: 'device-token', agentId: agent.agentId, roles: ['agent'] }),
    })
  }
  const supervisorToken = await createToken(settings, companyId, { kind: 'api-token', roles: ['supervisor'] })
  return { companyId, agents: agents as Tacet['agents'], supervisorToken, numberIds, last }
}

const putCompany = async (settings: HttpClient, companyId: string, change: Record<string, unknown>): Promise<Versioned> =>
  await put(companyId, settings(`/v1/companies/${companyId}`, { method: 'PUT', body: { name: 'Example Ltd', recording: allOn, agentInitiatedPause: 'allow', ...change } }))

const putNumber = async (settings: HttpClient, companyId: string, numberId: string, body: Record<string, unknown>): Promise<Versioned> =>
  await put(numberId, settings(`/v1/companies/${companyId}/numbers/${numberId}`, { method: 'PUT', body }))

const putAgent = async (settings: HttpClient, companyId: string, { agentId, extension }: Pick<TestAgent, 'agentId' | 'extension'>, change: Record<string, unknown>): Promise<Versioned> =>
  await put(agentId, settings(`/v1/companies/${companyId}/agents/${agentId}`, { method: 'PUT', body: { name: `Agent ${extension}`, endpoints: [`PJSIP/${extension}`], ...change } }))

export async function createToken (settings: HttpClient, companyId: string, body: Record<string, unknown>): Promise<string> {
  const answer = await settings(`/v1/companies/${companyId}/credentials`, { body: { label: 'test', ...body } })
  if (answer.status !== 201) throw new Error(`no credential: ${answer.status} ${JSON.stringify(answer.body)}`)
  return answer.body.token
}

async function put (id: string, answer: Promise<{ status: number, body: any }>): Promise<Versioned> {
  const { status, body } = await answer
  if (status >= 300) throw new Error(`settings refused: ${status} ${JSON.stringify(body)}`)
  return { id, version: body.version }
}

/** Phones that are late lose audio: they and the services go before whatever else runs on the machine, if we may say so. */
function keepPace (): void {
  try {
    setPriority(-15)
  } catch {
    // Not root: then the machine had better not be busy.
  }
}
