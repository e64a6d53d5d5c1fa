import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { ISocketFactory } from 'kafkajs'
import pg from 'pg'
import { createKafka, createLogger, createMetrics, openDatabase, runMigrations, type Database, type DatabaseOptions, type KafkaClient, type Logger } from '@tacet/service-kit'
import { createProxy, eventually, readStack, type Proxy } from '@tacet/test-kit'

const stack = readStack()

/** As `eventually`, with patience for a busy machine. */
export const soon: typeof eventually = (predicate, options) => eventually(predicate, { timeoutMs: 20_000, ...options })

export const logger: Logger = createLogger({ name: 'test', level: process.env['TEST_LOG_LEVEL'] ?? 'silent' })
export const unique = (): string => randomBytes(4).toString('hex')

/** A database of this test's own, with the kit's tables in it; gone afterwards. */
export async function testDatabase (t: Test): Promise<{ url: string, database: Database }> {
  const name = `kit_${unique()}`
  await administer(`create database ${name}`)
  t.teardown(() => administer(`drop database ${name} with (force)`))
  const url = new URL(stack.postgres.url)
  url.pathname = `/${name}`
  await runMigrations({ url: url.href, schema: 'kit', folder: join(import.meta.dirname, 'migrations'), logger })
  return { url: url.href, database: openTestDatabase(t, url.href) }
}

export function openTestDatabase (t: Test, url: string, options: Partial<DatabaseOptions> = {}): Database {
  const database = openDatabase({ url, name: 'kit-test', logger, connectTimeoutMs: 1_000, statementTimeoutMs: 5_000, ...options })
  t.teardown(() => database.close())
  return database
}

async function administer (statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: stack.postgres.url })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

export const brokers = stack.kafka.brokers

/** A prefix of this test's own, with these topics below it; the topics are gone afterwards. */
export async function testTopics (t: Test, topics: { topic: string, partitions?: number, isCompacted?: boolean, maxMessageBytes?: number }[]): Promise<{ prefix: string, kafka: KafkaClient }> {
  const prefix = `kit-${unique()}.`
  const kafka = createKafka({ brokers, clientId: 'kit-test', topicPrefix: prefix, logger })
  const admin = kafka.createAdmin()
  await admin.connect()
  t.teardown(async () => {
    await admin.deleteTopics({ topics: topics.map(({ topic }) => prefix + topic) })
    await admin.disconnect()
  })
  await admin.createTopics({
    waitForLeaders: true,
    topics: topics.map(({ topic, partitions = 1, isCompacted = false, maxMessageBytes = 1_048_588 }) => ({
      topic: prefix + topic,
      numPartitions: partitions,
      replicationFactor: 1,
      configEntries: [
        { name: 'cleanup.policy', value: isCompacted ? 'compact' : 'delete' },
        { name: 'max.message.bytes', value: String(maxMessageBytes) },
      ],
    })),
  })
  return { prefix, kafka }
}

/** As `kafka`, but over a cable that can be cut. */
export async function kafkaOverProxy (t: Test, topicPrefix: string): Promise<{ kafka: KafkaClient, proxy: Proxy }> {
  const [host = '', port = ''] = (brokers[0] ?? '').split(':')
  const proxy = await createProxy(t, { host, port: Number(port) })
  const socketFactory: ISocketFactory = ({ onConnect }) => connect(proxy.port, '127.0.0.1', onConnect)
  return { proxy, kafka: createKafka({ brokers, clientId: 'kit-test', topicPrefix, logger, socketFactory }) }
}

/** As `testDatabase`, but over a cable that can be cut. */
export async function databaseOverProxy (t: Test, url: string, options?: Partial<DatabaseOptions>): Promise<{ database: Database, proxy: Proxy }> {
  const target = new URL(url)
  const proxy = await createProxy(t, { host: target.hostname, port: Number(target.port) })
  target.port = String(proxy.port)
  return { proxy, database: openTestDatabase(t, target.href, options) }
}

export const testMetrics = () => createMetrics({ name: 'test' })
