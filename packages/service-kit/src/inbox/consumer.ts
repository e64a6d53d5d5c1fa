import type { EachBatchPayload, KafkaMessage } from 'kafkajs'
import { lt, sql } from 'drizzle-orm'
import { createAlarms } from '../alarms.ts'
import { backoff } from '../backoff.ts'
import { withCorrelationId } from '../context.ts'
import type { Database, Transaction } from '../db/database.ts'
import { isTransientDatabaseError } from '../db/errors.ts'
import { pause } from '../deadline.ts'
import type { EventIn, TopicName } from '../events.ts'
import type { CheckResult } from '../http/admin.ts'
import { fromKafkaMessage } from '../kafka/cloud-events.ts'
import type { KafkaClient } from '../kafka/client.ts'
import { superviseConsumer } from '../kafka/supervised-consumer.ts'
import type { Logger } from '../logging.ts'
import { counter, type Metrics } from '../metrics.ts'
import { createDeadLetters } from './dead-letters.ts'
import type { InboxTable } from './table.ts'

export interface InboxConsumerOptions<Topic extends TopicName> {
  kafka: KafkaClient
  groupId: string
  topics: readonly Topic[]
  database: Database
  inbox: InboxTable
  /** Where unreadable messages go, without prefix: `deadLetterTopic(service)`. */
  deadLetterTopic: string
  /** The effect, inside the transaction that also remembers the event. Called at least once, effective once. */
  handle: (event: EventIn<Topic>, tx: Transaction) => Promise<unknown>
  /** Runs after the commit of each event handled: wake the relay here. */
  onCommitted?: () => void
  logger: Logger
  metrics: Metrics
  /** How often a handler may fail on one event before it goes to the dead letters. */
  maxAttempts?: number
  /** How long handled event ids are remembered: longer than anything is republished. */
  inboxRetentionMs?: number
}

export interface InboxConsumer {
  start (): void
  stop (): Promise<void>
  check (): CheckResult
}

/**
 * Consumes events: duplicates are dropped in the transaction of the effect, offsets are committed after it.
 * While the database is away an event is tried again without end and nothing is skipped. What can't be read, does not
 * match the contracts, or fails `maxAttempts` times for another reason goes to the dead letters, and the consumer goes on.
 */
export function createConsumer<const Topic extends TopicName> (options: InboxConsumerOptions<Topic>): InboxConsumer {
  const { kafka, topics, database, inbox, handle, onCommitted, metrics, maxAttempts = 5, inboxRetentionMs = 7 * 24 * 3_600_000 } = options
  const groupId = kafka.prefixed(options.groupId)
  const logger = options.logger.child({ consumerGroup: options.groupId })
  const deadLetters = createDeadLetters({ kafka, topic: options.deadLetterTopic, logger, metrics })
  const consumed = counter(metrics, 'tacet_consumed_events_total', 'Events consumed, by what became of them', ['topic', 'result'])
  const stopping = new AbortController()
  let nextCleanUp = 0

  /** True when this was the first time. */
  async function applyOnce (event: EventIn<Topic>): Promise<boolean> {
    return await database.db.transaction(async tx => {
      const remembered = await tx.insert(inbox).values({ eventId: event.id, consumerGroup: options.groupId }).onConflictDoNothing().returning({ eventId: inbox.eventId })
      if (remembered.length === 0) return false
      await handle(event, tx)
      return true
    })
  }

  async function apply (event: EventIn<Topic>, alive: () => Promise<void>): Promise<'handled' | 'duplicate' | { error: unknown }> {
    const delays = backoff({ maxMs: 2_000 })
    for (let attempt = 1; ;) {
      try {
        return await applyOnce(event) ? 'handled' : 'duplicate'
      } catch (err) {
        const isTransient = isTransientDatabaseError(err)
        if (!isTransient && attempt++ >= maxAttempts) return { error: err }
        logger.warn({ err, eventId: event.id, type: event.type, isTransient }, 'event not handled, trying again')
      }
      await pause(delays.next().value, stopping.signal)
      await alive()
    }
  }

  async function consume (topic: Topic, partition: number, message: KafkaMessage, alive: () => Promise<void>): Promise<string> {
    const parsed = fromKafkaMessage(topic, message)
    if (parsed.kind === 'unknown') {
      logger.debug({ topic, type: parsed.type }, 'event type ignored')
      return 'ignored'
    }
    const reason = parsed.kind === 'poison' ? parsed.reason : parsed.event.data === null ? 'no data' : undefined
    if (parsed.kind === 'poison' || reason !== undefined) {
      await deadLetters.send({ topic, partition, message, reason: reason ?? '' }, alive)
      return 'dead-letter'
    }
    const event = { ...parsed.event, topic } as EventIn<Topic>
    const result = await withCorrelationId(event.correlationId ?? event.id, () => apply(event, alive))
    if (typeof result === 'string') {
      if (result === 'handled') onCommitted?.()
      return result
    }
    logger.error({ err: result.error, eventId: event.id, type: event.type }, 'event given up')
    await deadLetters.send({ topic, partition, message, reason: `handler failed: ${String(result.error)}` }, alive)
    return 'dead-letter'
  }

  async function eachBatch ({ batch, heartbeat, resolveOffset, commitOffsetsIfNecessary, uncommittedOffsets, isRunning, isStale }: EachBatchPayload): Promise<void> {
    const topic = kafka.unprefixed(batch.topic) as Topic
    const alive = async () => {
      if (stopping.signal.aborted || !isRunning() || isStale()) throw new ConsumptionInterrupted()
      // Rejects with REBALANCE_IN_PROGRESS when the group wants us back: what is not committed comes again.
      await heartbeat()
    }
    try {
      for (const message of batch.messages) {
        await alive()
        consumed.inc({ topic, result: await consume(topic, batch.partition, message, alive) })
        resolveOffset(message.offset)
      }
    } catch (error) {
      if (!(error instanceof ConsumptionInterrupted)) throw error
    }
    await commitOffsetsIfNecessary(uncommittedOffsets())
    await cleanUp()
  }

  async function cleanUp (): Promise<void> {
    if (Date.now() < nextCleanUp) return
    nextCleanUp = Date.now() + 3_600_000
    await database.db.delete(inbox).where(lt(inbox.receivedAt, sql`now() - ${inboxRetentionMs} * interval '1 millisecond'`))
      .catch(err => logger.warn({ err }, 'inbox not cleaned up'))
  }

  const consumer = superviseConsumer({
    create: () => kafka.createConsumer({ groupId }),
    topics: topics.map(topic => kafka.prefixed(topic)),
    logger,
    outage: createAlarms({ metrics, logger }).outage('kafka-away'),
    eachBatch,
  })

  return {
    start: () => consumer.start(),
    async stop () {
      stopping.abort()
      await consumer.stop()
      await deadLetters.close()
    },
    check: () => ({ isOk: consumer.isConsuming }),
  }
}

/** Leaves a batch early, without blame. */
class ConsumptionInterrupted extends Error {
  override name = 'ConsumptionInterrupted'
}
