import { randomBytes, randomUUID } from 'node:crypto'
import type { Test } from 'tap'
import { topics } from '@tacet/contracts'
import { createCloser, createLogger, loadConfig, runMigrations } from '@tacet/service-kit'
import { migrationsFolder, settingsConfig, startSettings } from '@tacet/settings'
import { createHttpClient, createTestDatabase, createTestTopics, kafkaProbe, readStack, type HttpClient, type KafkaProbe, type TestDatabase } from '@tacet/test-kit'

const stack = readStack()
export const logger = createLogger({ name: 'test', level: process.env['TEST_LOG_LEVEL'] ?? 'silent' })
export const operatorToken = randomBytes(24).toString('base64url')

export interface TestSettings {
  url: string
  http: HttpClient
  operator: HttpClient
  admin: HttpClient
  database: TestDatabase
  events: KafkaProbe
  env: Record<string, string>
  /** The topic's name on the broker. */
  named: (topic: string) => string
}

/** The service in this process, on a database and topics of its own; all is gone after the test. */
export async function startTestSettings (t: Test, ownEnv: Record<string, string> = {}): Promise<TestSettings> {
  // For a busy machine; what is awaited has deadlines of its own.
  t.setTimeout(180_000)
  const closer = createCloser({ logger, stepTimeoutMs: 20_000 })
  t.teardown(() => closer.close())
  const database = await createTestDatabase(stack.postgres)
  closer.add('test database', database.drop)
  const { prefix, drop } = await createTestTopics(stack.kafka.brokers)
  closer.add('test topics', drop)
  await runMigrations({ url: database.urls.settings, schema: 'settings', folder: migrationsFolder, logger })

  const env = {
    DATABASE_URL: database.urls.settings,
    KAFKA_BROKERS: stack.kafka.brokers.join(','),
    KAFKA_TOPIC_PREFIX: prefix,
    SETTINGS_OPERATOR_TOKEN: operatorToken,
    RATE_LIMIT_PER_MINUTE: '100000',
    ...ownEnv,
  }
  const { url, adminUrl } = await startSettings({ config: loadConfig(settingsConfig, env), logger, closer })
  const named = (topic: string) => prefix + topic
  const events = await kafkaProbe({ brokers: stack.kafka.brokers, topics: [topics.settings, topics.credentials, topics.audit].map(named), from: 'beginning' })
  closer.add('probe', events.close)
  return { url, http: createHttpClient(url), operator: createHttpClient(url, { token: operatorToken }), admin: createHttpClient(adminUrl), database, events, env, named }
}

export const everywhere = <Value>(value: Value) => ({ inbound: value, outbound: value, internal: value })
export const companyFields = { name: 'Acme', recording: everywhere('on'), agentInitiatedPause: 'allow' }

/** Assigns endpoints to a company, as the operator does. */
export async function assign ({ operator }: TestSettings, { companyId }: TestCompany, ...endpoints: string[]): Promise<void> {
  for (const endpoint of endpoints) await operator(`/v1/endpoints/${encodeURIComponent(endpoint)}`, { method: 'PUT', body: { companyId } })
}

export interface TestCompany {
  companyId: string
  path: string
  /** Speaks with the token of one of the company's admins. */
  client: HttpClient
  token: string
}

export async function createCompany ({ operator, http }: TestSettings, fields: object = companyFields): Promise<TestCompany> {
  const companyId = randomUUID()
  const path = `/v1/companies/${companyId}`
  await operator(path, { method: 'PUT', body: fields })
  const { body: { token } } = await operator(`${path}/credentials`, { body: { kind: 'api-token', roles: ['admin'] } })
  return { companyId, path, token, client: (path, request) => http(path, { token, ...request }) }
}

/** An agent's path and id; `fields` beside a name. */
export async function createAgent ({ path, client }: TestCompany, fields: object = {}): Promise<{ agentId: string, path: string }> {
  const { body: { agentId } } = await client(`${path}/agents`, { body: { name: 'Alice', ...fields } })
  return { agentId, path: `${path}/agents/${agentId}` }
}
