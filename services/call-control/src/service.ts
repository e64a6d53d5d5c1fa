import { deadLetterTopic, problem } from '@tacet/contracts'
import {
  backoff, createAdminApp, createAlarms, createAuthenticator, createKafka, createMetrics, createReached, createRelay, createReplica, createUpkeep, isTransientDatabaseError, openDatabase, pause,
  type Closer, type Logger,
} from '@tacet/service-kit'
import { v5 as uuidv5, v7 as uuidv7 } from 'uuid'
import { createForgetCalls } from './adapters/forget-calls.ts'
import { createPostgresCallStore } from './adapters/postgres-call-store.ts'
import { createPostgresLease } from './adapters/postgres-lease.ts'
import { createSettingsView } from './adapters/settings-view.ts'
import type { CallControlConfig } from './config.ts'
import { crashPoints, createMarks } from './crash-points.ts'
import { outbox, replica as replicaTable } from './db/schema.ts'
import { createCallControlApp } from './http/app.ts'
import { createObserver } from './observer.ts'
import { messageOf } from './usecases/audit-attempt.ts'
import { createAnswerBook, createCommands } from './usecases/command-recording.ts'
import { createPost } from './usecases/hold-post.ts'
import { createLull } from './usecases/lull.ts'
import { openWatch, type PbxWatch } from './watch.ts'

const name = 'call-control'
const version = '1.0.0'
/** Of the call ids of all PBXs; never change it. */
const callNamespace = 'b3f2f6a4-2f0e-4f0e-9a57-6b8f6f3d1c50'

/** So long the events of a burst of pauses, and what was stopped by it, may wait for its answers. */
const lullWithinMs = 250

export interface CallControlContext { config: CallControlConfig, logger: Logger, closer: Closer }

/** Starts the service and resolves when it listens; what it needs may come later. */
export async function startCallControl ({ config, logger, closer }: CallControlContext): Promise<{ url: string, adminUrl: string }> {
  const marks = createMarks(createReached(config, crashPoints))
  const metrics = createMetrics({ name })
  const database = openDatabase({ url: config.databaseUrl, name, logger, statementTimeoutMs: 2_000, connectTimeoutMs: 1_500 })
  closer.add('database', () => database.close())
  const kafka = createKafka({ brokers: config.kafkaBrokers, clientId: name, topicPrefix: config.kafkaTopicPrefix, logger })
  const relay = createRelay({ database, table: outbox, kafka, source: 'urn:tacet:call-control', logger, metrics, onSent: marks.sent })
  const copyOf = { name, kafka, database, table: replicaTable, deadLetterTopic: deadLetterTopic(name), logger, metrics }
  const settings = createReplica({ ...copyOf, topic: 'tacet.settings.v1' })
  const credentials = createReplica({ ...copyOf, topic: 'tacet.credentials.v1' })
  const alarms = createAlarms({ metrics, logger })
  const leaseAway = alarms.outage('database-away')
  const outages = { ariAway: alarms.outage('ari-away'), takenOver: alarms.outage('pbx-taken-over', 0) }
  const observer = createObserver({ logger, metrics, alarms, watch: () => post.watch })

  const instanceId = uuidv7()
  let epoch = 0
  const lease = createPostgresLease({ database, pbxId: config.pbxId, holder: instanceId, ttlMs: config.leaseTtlMs })
  const clock = () => Date.now()
  const wait = async (ms: number, signal?: AbortSignal) => { if (ms > 0) await pause(ms, signal) }
  const lull = createLull({ wait, withinMs: lullWithinMs })
  const store = marks.store(createPostgresCallStore({ database, pbxId: config.pbxId, epoch: () => epoch, onCommitted: () => { void lull.come().then(() => relay.wake()) } }))
  const answers = createAnswerBook()
  const view = createSettingsView(settings)

  const post = createPost<PbxWatch>({
    acquire: async () => {
      const held = await lease.acquire()
      leaseAway.over()
      // Another one is in charge by right.
      if (held === undefined) outages.takenOver.over()
      return held
    },
    release: () => lease.release(),
    wait,
    clock: () => performance.now(),
    renewEveryMs: config.leaseTtlMs / 5,
    ttlMs: config.leaseTtlMs,
    backOffMs: () => config.leaseTtlMs * (0.3 + Math.random() * 0.4),
    onChange: observer.onRole,
    onError: err => {
      logger.warn({ err }, 'lease not renewed')
      if (isTransientDatabaseError(err)) leaseAway.failed(err)
    },
    open: (held): PbxWatch => {
      epoch = held
      return openWatch({
        config,
        marks,
        store,
        answers,
        clock,
        logger,
        outages,
        isCurrent: () => post.isCurrent,
        ...view,
        callIdOf: linkedId => uuidv5(`${config.pbxId}/${linkedId}`, callNamespace),
        onLatency: observer.onAriLatency,
        session: {
          lull,
          store,
          clock,
          wait,
          newId: () => uuidv7(),
          commitTimeoutMs: config.commitTimeoutMs,
          backoff: () => backoff({ firstMs: 100, maxMs: 2_000 }),
          onStored: observer.onStored,
          onFailure: error => {
            if (error instanceof Error && error.name === 'LeaseLost') post.resign()
            observer.onStoreFailure(error)
          },
          onError: observer.onRecorderError,
          onTransition: observer.onTransition,
        },
      })
    },
  })

  const commands = marks.commands(createCommands({
    clock,
    lull,
    newId: () => uuidv7(),
    store,
    answers,
    session: callId => usableWatch(post).follower.session(callId),
    onIntentFailure: err => logger.warn({ err }, 'pause intent not stored'),
    onRefusalNotStored: err => logger.warn({ err }, 'refusal not put into the audit log'),
  }))
  const authenticator = createAuthenticator(credentials)
  const app = await createCallControlApp({ commands, authenticator, watch: () => usableWatch(post), appendAudit: entry => store.announce(messageOf(entry, uuidv7())), clock, logger, metrics, rateLimitPerMinute: config.rateLimitPerMinute, trustProxy: config.trustProxy })

  const admin = createAdminApp({
    name,
    version,
    logger,
    metrics,
    checks: {
      database: () => database.check(),
      outbox: () => relay.check(),
      settings: () => settings.check(),
      credentials: () => credentials.check(),
      // Who slept past its lease is in charge of nothing until it has asked.
      pbx: () => ({ isOk: post.watch ? post.watch.isUsable : epoch !== 0, role: post.isCurrent ? post.role : 'standby', state: post.watch?.state ?? 'standby' }),
    },
  })
  closer.add('admin', () => admin.close())
  const adminUrl = await admin.listen({ host: config.httpHost, port: config.adminPort })

  relay.start()
  closer.add('relay', () => relay.stop())
  await Promise.all([settings.start(), credentials.start()])
  closer.add('settings', () => settings.stop())
  closer.add('credentials', () => credentials.stop())
  // A call must not be judged by rules that are not here yet; but with Kafka away, those of last time are better than no recording.
  await Promise.all([settings, credentials].map(copy => copy.whenUsable(copy.check()['state'] === 'stored' ? 5_000 : 20_000)))
  post.start()
  closer.add('post', () => post.stop())
  const forgetCalls = createForgetCalls({ database })
  const upkeep = createUpkeep({
    logger,
    intervalMs: 10 * 60_000,
    tasks: {
      async 'forgetting calls' (signal) {
        const calls = await forgetCalls(config.callRetentionDays * 24 * 3_600_000, signal)
        if (calls > 0) logger.info({ calls }, 'old calls deleted')
      },
    },
  })
  upkeep.start()
  closer.add('upkeep', () => upkeep.stop())

  closer.add('http', () => app.close())
  const url = await app.listen({ host: config.httpHost, port: config.httpPort })
  logger.info({ url, adminUrl, instanceId }, 'call-control listening')
  return { url, adminUrl }
}

function usableWatch ({ watch, isCurrent }: { watch: PbxWatch | undefined, isCurrent: boolean }): PbxWatch {
  if (!watch || !isCurrent) throw problem('standby', undefined, { retryAfterSeconds: 2 })
  if (!watch.isUsable) throw problem('pbx-unavailable', undefined, { retryAfterSeconds: 2 })
  return watch
}
