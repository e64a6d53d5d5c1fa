import { createAdminApp, createKafka, createMetrics, createRelay, openDatabase, type Closer, type Logger } from '@tacet/service-kit'
import { v7 as uuidv7 } from 'uuid'
import { createStore } from './adapters/store.ts'
import { tokens } from './adapters/tokens.ts'
import type { SettingsConfig } from './config.ts'
import { outbox } from './db/schema.ts'
import { createSettingsApp } from './http/app.ts'
import { createUseCases } from './usecases/index.ts'

const name = 'settings'
const version = '1.0.0'

export interface SettingsContext {
  config: SettingsConfig
  logger: Logger
  closer: Closer
}

/** Starts the service and resolves when it listens; it needs neither the database nor Kafka to be there yet. */
export async function startSettings ({ config, logger, closer }: SettingsContext): Promise<{ url: string, adminUrl: string }> {
  const metrics = createMetrics({ name })

  const database = openDatabase({ url: config.databaseUrl, name, logger })
  closer.add('database', () => database.close())

  const kafka = createKafka({ brokers: config.kafkaBrokers, clientId: name, topicPrefix: config.kafkaTopicPrefix, logger })
  const relay = createRelay({ database, table: outbox, kafka, source: 'urn:tacet:settings', logger, metrics })

  const admin = createAdminApp({ name, version, logger, metrics, checks: { database: () => database.check(), outbox: () => relay.check() } })
  closer.add('admin', () => admin.close())
  const adminUrl = await admin.listen({ host: config.httpHost, port: config.adminPort })

  relay.start()
  closer.add('relay', () => relay.stop())

  const store = createStore({ db: database.db, onCommitted: () => relay.wake() })
  const deps = { store, tokens, now: () => new Date(), newId: () => uuidv7() }
  const useCases = createUseCases(deps, config.operatorToken)
  const app = await createSettingsApp({ useCases, store, newId: deps.newId, logger, metrics, rateLimitPerMinute: config.rateLimitPerMinute })
  closer.add('http', () => app.close())
  const url = await app.listen({ host: config.httpHost, port: config.httpPort })

  logger.info({ url, adminUrl }, 'settings listening')
  return { url, adminUrl }
}
