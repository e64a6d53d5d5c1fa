import { setTimeout as sleep } from 'node:timers/promises'
import { getTableConfig } from 'drizzle-orm/pg-core'
import { drizzle } from 'drizzle-orm/node-postgres'
import type { Producer } from 'kafkajs'
import { createAlarms } from '../alarms.ts'
import { backoff } from '../backoff.ts'
import type { Database } from '../db/database.ts'
import { deadline, pause } from '../deadline.ts'
import type { CheckResult } from '../http/admin.ts'
import { isKafkaError, type KafkaClient } from '../kafka/client.ts'
import type { Logger } from '../logging.ts'
import type { Metrics } from '../metrics.ts'
import { createRelayMetrics } from './metrics.ts'
import { createPublisher, type Publisher } from './publisher.ts'
import { createOutboxStore } from './store.ts'
import type { OutboxTable } from './table.ts'

const minRoundMs = 20

export interface RelayOptions {
  database: Database
  table: OutboxTable
  kafka: KafkaClient
  /** `ce_source` of everything published, e.g. `urn:tacet:call-control`. */
  source: string
  logger: Logger
  metrics: Metrics
  pollIntervalMs?: number
  batchSize?: number
  /** How often a row that Kafka refuses for itself (too large, say) is tried before it is parked. */
  maxAttempts?: number
  /** How long published rows are kept. */
  retentionMs?: number
  /** For tests: Kafka has some, and the outbox does not know it yet. */
  onSent?: () => void
}

export interface Relay {
  start (): void
  /** Call after committing a transaction that appended: publishes now instead of at the next poll. */
  wake (): void
  /** For /ready: never not ok by itself, because a service works on while Kafka is away. */
  check (): CheckResult
  /** Publishes what is left, for as long as that works and at most `budgetMs`, then stops. */
  stop (budgetMs?: number): Promise<void>
}

/**
 * Publishes the outbox, at least once, in order of each key. Of several instances one is active: it holds an advisory
 * lock on a connection of its own and reads and marks through that very connection, so it can't outlive its lock.
 *
 * A row that Kafka refuses for itself is tried `maxAttempts` times, then parked: error log, metric, row kept.
 * Until then the later rows of its key wait (order per key is part of the promise) while other keys go on;
 * after it the key goes on without the parked row.
 */
export function createRelay (options: RelayOptions): Relay {
  const { database, table, kafka, source, logger, metrics, pollIntervalMs = 500, batchSize = 100, maxAttempts = 5, retentionMs = 24 * 3_600_000, onSent } = options
  const lockName = `tacet:outbox:${getTableConfig(table).schema}`
  const relayMetrics = createRelayMetrics(metrics, createOutboxStore(database.db, table))
  const alarms = createAlarms({ metrics, logger })
  const [databaseAway, kafkaAway] = [alarms.outage('database-away'), alarms.outage('kafka-away')]
  const stopping = new AbortController()
  let running: Promise<void> | undefined
  let role: 'standby' | 'active' = 'standby'
  let lastError: string | undefined
  let isWoken = false
  let interruptWait = () => {}

  async function wait (ms: number): Promise<void> {
    if (isWoken || stopping.signal.aborted) return
    const interrupted = new AbortController()
    interruptWait = () => interrupted.abort('woken')
    await pause(ms, interrupted.signal)
  }

  async function publishUntilStopped (publisher: Publisher): Promise<void> {
    let nextCleanUp = 0
    let delays = backoff({ maxMs: 2_000 })
    for (;;) {
      const isLastRound = stopping.signal.aborted
      isWoken = false
      const startedAt = performance.now()
      const { published, refused } = await publisher.publishBatch()
      lastError = undefined
      kafkaAway.over()
      databaseAway.over()
      if (Date.now() >= nextCleanUp) {
        await publisher.deletePublished(retentionMs)
        nextCleanUp = Date.now() + 60_000
      }
      if (refused > 0) await pause(delays.next().value, stopping.signal)
      else delays = backoff({ maxMs: 2_000 })
      if (published === batchSize) continue
      if (isLastRound) return
      // In a burst a round costs as much for one event as for fifty, and takes the time from those who wait for an answer.
      if (published > 0) await pause(Math.max(0, minRoundMs - (performance.now() - startedAt)), stopping.signal)
      if (refused === 0) await wait(pollIntervalMs)
    }
  }

  /** Holds the lock, or waits for it, until stopped; rejects when database or Kafka fail. */
  async function hold (producer: Producer, onActive: () => void): Promise<void> {
    const client = await database.connect()
    try {
      while (!(await client.query('select pg_try_advisory_lock(hashtextextended($1, 0)) as held', [lockName])).rows[0].held) {
        // Whoever publishes knows better.
        kafkaAway.over()
        databaseAway.over()
        await pause(1_000, stopping.signal)
        if (stopping.signal.aborted) return
      }
      role = 'active'
      await producer.connect()
      onActive()
      const store = createOutboxStore(drizzle(client), table)
      await publishUntilStopped(createPublisher({ store, producer, kafka, source, logger, metrics: relayMetrics, alarms, batchSize, maxAttempts, onSent }))
    } finally {
      role = 'standby'
      await deadline(client.end(), 2_000, () => new Error('database connection did not close')).catch(() => {})
    }
  }

  async function run (): Promise<void> {
    const producer = kafka.createProducer()
    let delays = backoff({ firstMs: 200, maxMs: 3_000 })
    while (!stopping.signal.aborted) {
      try {
        await hold(producer, () => { delays = backoff({ firstMs: 200, maxMs: 3_000 }) })
      } catch (err) {
        const delayMs = delays.next().value
        lastError = err instanceof Error ? err.message : String(err)
        relayMetrics.failures.inc()
        if (isKafkaError(err)) {
          kafkaAway.failed(err)
          databaseAway.over()
        } else databaseAway.failed(err)
        logger.warn({ err, delayMs }, 'outbox not published')
        await pause(delayMs, stopping.signal)
      }
    }
    for (const outage of [kafkaAway, databaseAway]) outage.over()
    await deadline(producer.disconnect(), 2_000, () => new Error('producer did not disconnect')).catch(() => {})
  }

  return {
    start () {
      running ??= run()
    },
    wake () {
      isWoken = true
      interruptWait()
    },
    check: () => ({ isOk: true, role, ...(lastError === undefined ? {} : { lastError }) }),
    async stop (budgetMs = 5_000) {
      stopping.abort()
      interruptWait()
      await Promise.race([running, sleep(budgetMs, undefined, { ref: false })])
    },
  }
}
