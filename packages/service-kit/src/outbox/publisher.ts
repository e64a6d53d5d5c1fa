import type { Producer, TopicMessages } from 'kafkajs'
import type { Alarms } from '../alarms.ts'
import { toKafkaMessage } from '../kafka/cloud-events.ts'
import type { KafkaClient } from '../kafka/client.ts'
import type { Logger } from '../logging.ts'
import type { RelayMetrics } from './metrics.ts'
import type { OutboxStore } from './store.ts'
import type { OutboxRow } from './table.ts'

export interface PublisherOptions {
  store: OutboxStore
  producer: Producer
  kafka: KafkaClient
  source: string
  logger: Logger
  metrics: RelayMetrics
  alarms: Alarms
  batchSize: number
  maxAttempts: number
  onSent?: (() => void) | undefined
}

export interface Publisher {
  /** Publishes and marks the oldest rows; rejects when Kafka or the database is the trouble, not a row. */
  publishBatch (): Promise<{ published: number, refused: number }>
  deletePublished (olderThanMs: number): Promise<void>
}

/** A broker limits the size of a whole batch (1 MiB unless told otherwise), not only of a message. */
const maxRequestBytes = 512 * 1024

/** What the broker or its protocol holds against one message, whatever the rest. */
const rowFaults = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_RECORD', 'INVALID_TIMESTAMP'])

export function createPublisher ({ store, producer, kafka, source, logger, metrics, alarms, batchSize, maxAttempts, onSent }: PublisherOptions): Publisher {
  async function publish (rows: OutboxRow[]): Promise<void> {
    await producer.sendBatch({ acks: -1, topicMessages: toTopicMessages(rows, source, kafka) })
    onSent?.()
    await store.markPublished(rows.map(({ id }) => id))
    metrics.published.inc(rows.length)
  }

  async function refuse (row: OutboxRow, err: Error): Promise<void> {
    const attempts = row.attempts + 1
    const isParked = attempts >= maxAttempts
    await store.markRefused(row.id, err.message, isParked)
    metrics.failures.inc()
    const facts = { err, outboxId: row.id, eventId: row.eventId, topic: row.topic, type: row.type, key: row.key, attempts }
    if (!isParked) return logger.warn(facts, 'event refused by Kafka')
    metrics.parked.inc()
    // What others were promised to be told, they are not told.
    alarms.raise('event-parked', facts)
  }

  /** After a chunk was refused: finds the rows to blame, whose keys wait from then on. */
  async function publishOneByOne (rows: OutboxRow[], waitingKeys: Set<string>): Promise<number> {
    let published = 0
    for (const row of rows) {
      if (waitingKeys.has(keyOf(row))) continue
      try {
        await publish([row])
        published++
      } catch (error) {
        if (!isRowFault(error)) throw error
        waitingKeys.add(keyOf(row))
        await refuse(row, error)
      }
    }
    return published
  }

  return {
    async publishBatch () {
      const waitingKeys = new Set<string>()
      let published = 0
      for (const chunk of chunksBySize(await store.nextBatch(batchSize))) {
        const rows = chunk.filter(row => !waitingKeys.has(keyOf(row)))
        try {
          if (rows.length > 0) await publish(rows)
          published += rows.length
        } catch (error) {
          if (!isRowFault(error)) throw error
          published += await publishOneByOne(rows, waitingKeys)
        }
      }
      return { published, refused: waitingKeys.size }
    },
    deletePublished: olderThanMs => store.deletePublished(olderThanMs),
  }
}

const keyOf = ({ topic, key }: OutboxRow): string => JSON.stringify([topic, key])

function toTopicMessages (rows: OutboxRow[], source: string, kafka: KafkaClient): TopicMessages[] {
  const byTopic = Map.groupBy(rows, ({ topic }) => topic)
  return Array.from(byTopic, ([topic, ofTopic]) => ({
    topic: kafka.prefixed(topic),
    messages: ofTopic.map(row => toKafkaMessage({
      ...row.headers,
      id: row.eventId,
      type: row.type,
      source,
      subject: row.key,
      time: row.occurredAt.toISOString(),
      data: row.payload,
    })),
  }))
}

function * chunksBySize (rows: OutboxRow[]): Generator<OutboxRow[]> {
  let chunk: OutboxRow[] = []
  let bytes = 0
  for (const row of rows) {
    const rowBytes = Buffer.byteLength(JSON.stringify(row.payload)) + 1_024
    if (chunk.length > 0 && bytes + rowBytes > maxRequestBytes) {
      yield chunk
      chunk = []
      bytes = 0
    }
    chunk.push(row)
    bytes += rowBytes
  }
  if (chunk.length > 0) yield chunk
}

function isRowFault (error: unknown): error is Error {
  for (let current = error, depth = 0; current instanceof Error && depth < 10; current = current.cause, depth++) {
    const { type } = current as { type?: unknown }
    if (typeof type === 'string' && rowFaults.has(type)) return true
  }
  return false
}
