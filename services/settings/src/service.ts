import { createAdminApp, createConsumer, createKafka, createMetrics, createRelay, openDatabase, type Closer, type Logger } from '@tacet/service-kit'
import { deadLetterTopic, topics } from '@tacet/contracts'
import { v7 as uuidv7 } from 'uuid'
import { appendToAuditLog, createAuditLog } from './adapters/audit-log.ts'
import { readCsv } from './adapters/read-csv.ts'
import { createStore } from './adapters/store.ts'
import { createFetchKeys } from './adapters/fetch-keys.ts'
import { createTokenSigner } from './adapters/token-signer.ts'
import { tokens } from './adapters/tokens.ts'
import type { SettingsConfig } from './config.ts'
import { inbox, outbox } from './db/schema.ts'
import { createSettingsApp } from './http/app.ts'
import { keepUp } from './upkeep.ts'
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
  const signer = await createTokenSigner(config.jwtPrivateKey)
  if (config.jwtPrivateKey === undefined) logger.warn('SETTINGS_JWT_PRIVATE_KEY is not set: JWTs are signed by a key that ends with this process')

  const database = openDatabase({ url: config.databaseUrl, name, logger })
  closer.add('database', () => database.close())

  const kafka = createKafka({ brokers: config.kafkaBrokers, clientId: name, topicPrefix: config.kafkaTopicPrefix, logger })
  const relay = createRelay({ database, table: outbox, kafka, source: 'urn:tacet:settings', logger, metrics })

  const auditor = createConsumer({
    kafka, groupId: 'settings.audit', topics: [topics.audit], database, inbox, deadLetterTopic: deadLetterTopic(name), handle: (event, tx) => appendToAuditLog(tx, event.data), logger, metrics,
  })

  const checks = {
    database: () => database.check(),
    outbox: () => relay.check(),
    // Without Kafka the entries wait there; nobody has to wait for the chain.
    audit: () => ({ isOk: true, isConsuming: auditor.check().isOk }),
  }
  const admin = createAdminApp({ name, version, logger, metrics, checks })
  closer.add('admin', () => admin.close())
  const adminUrl = await admin.listen({ host: config.httpHost, port: config.adminPort })

  relay.start()
  closer.add('relay', () => relay.stop())
  auditor.start()
  closer.add('auditor', () => auditor.stop())

  const store = createStore({ db: database.db, onCommitted: () => relay.wake() })
  const deps = { store, tokens, signer, fetchKeys: createFetchKeys(config.jwksOrigins), readCsv, now: () => new Date(), newId: () => uuidv7() }
  const useCases = createUseCases(deps, config.operatorToken)
  const auditLog = createAuditLog(database.db)
  const app = await createSettingsApp({ useCases, store, auditLog, newId: deps.newId, logger, metrics, rateLimitPerMinute: config.rateLimitPerMinute, trustProxy: config.trustProxy })
  closer.add('http', () => app.close())
  const url = await app.listen({ host: config.httpHost, port: config.httpPort })

  const upkeep = keepUp({ announceSigningKey: useCases.announceSigningKey, refreshIdentityProviders: useCases.refreshIdentityProviders, refreshEveryMs: config.jwksRefreshMs, logger })
  closer.add('upkeep', () => upkeep.stop())

  logger.info({ url, adminUrl }, 'settings listening')
  return { url, adminUrl }
}
