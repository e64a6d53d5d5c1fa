import { randomUUID } from 'node:crypto'
import type { EachBatchPayload, KafkaMessage } from 'kafkajs'
import { createAlarms } from '../alarms.ts'
import type { Database } from '../db/database.ts'
import { deadline } from '../deadline.ts'
import type { DataOf, TopicName, TypeIn } from '../events.ts'
import type { CheckResult } from '../http/admin.ts'
import { createDeadLetters } from '../inbox/dead-letters.ts'
import { fromKafkaMessage } from '../kafka/cloud-events.ts'
import type { KafkaClient } from '../kafka/client.ts'
import { superviseConsumer } from '../kafka/supervised-consumer.ts'
import type { Logger } from '../logging.ts'
import { counter, gauge, type Metrics } from '../metrics.ts'
import { createEntries } from './entries.ts'
import { createRefused } from './refused.ts'
import { createReplay, type Replay, type ReplicaRecord, type Watermark } from './replay.ts'
import { createSaver } from './saver.ts'
import { createReplicaStore } from './store.ts'
import type { ReplicaTable } from './table.ts'

export interface ReplicaOptions<Topic extends TopicName> {
  topic: Topic
  /** The service; each instance gets a consumer group of its own below this name. */
  name: string
  kafka: KafkaClient
  database: Database
  table: ReplicaTable
  /** Where unreadable messages go, without prefix: `deadLetterTopic(service)`. */
  deadLetterTopic: string
  logger: Logger
  metrics: Metrics
}

/** `value` is undefined when the entity is gone. */
export type ChangeIn<Topic extends TopicName> = {
  [Type in TypeIn<Topic>]: { type: Type, id: string, value: DataOf<Topic, Type> | undefined, previous: DataOf<Topic, Type> | undefined }
}[TypeIn<Topic>]

export interface Replica<Topic extends TopicName> {
  /** Loads the stored copy and begins to follow the topic. Needs neither database nor Kafka to be there. */
  start (): Promise<void>
  /**
   * Waits until the copy is `current`: it holds everything the topic held when we began to read.
   * After `timeoutMs` says what there is instead: the `stored` copy of last time, or nothing.
   */
  whenUsable (timeoutMs: number): Promise<'current' | 'stored' | 'empty'>
  get<Type extends TypeIn<Topic>> (type: Type, id: string): DataOf<Topic, Type> | undefined
  list<Type extends TypeIn<Topic>> (type: Type): DataOf<Topic, Type>[]
  /** Called after each change, also those of the stored copy; returns how to unsubscribe. */
  onChange (listener: (change: ChangeIn<Topic>) => void): () => void
  /** Ok when usable; `ageMs` is the time since we last heard from Kafka, or since the stored copy was written. */
  check (): CheckResult
  stop (): Promise<void>
}

/** A compacted topic, followed from its beginning and kept in memory; the service's own table has it for the next start. */
export function createReplica<const Topic extends TopicName> (options: ReplicaOptions<Topic>): Replica<Topic> {
  const { topic, name, kafka, database, table, metrics } = options
  const logger = options.logger.child({ replica: topic })
  const entries = createEntries()
  const store = createReplicaStore(database.db, table, topic)
  const refused = createRefused({ topic, store, deadLetters: createDeadLetters({ kafka, topic: options.deadLetterTopic, logger, metrics }), logger })
  const saver = createSaver({ store, entries, logger })
  const poison = counter(metrics, 'tacet_replica_poison_total', 'Messages of a compacted topic that could not be read', ['topic'])
  const lastContact = gauge(metrics, 'tacet_replica_last_contact_timestamp_seconds', 'When the copy was last known to be up to date', ['topic'])
  const current = Promise.withResolvers<void>()
  let heardAt: number | undefined
  let hasStoredCopy = false
  let replay: Replay | undefined

  async function readWatermarks (): Promise<Watermark[]> {
    const admin = kafka.createAdmin()
    try {
      await admin.connect()
      return await admin.fetchTopicOffsets(kafka.prefixed(topic))
    } finally {
      await deadline(admin.disconnect(), 2_000, () => new Error('admin did not disconnect')).catch(() => {})
    }
  }

  function parse (partition: number, message: KafkaMessage): ReplicaRecord | undefined {
    const id = message.key?.toString()
    if (message.value === null && id !== undefined) return { kind: 'tombstone', id }
    const parsed = fromKafkaMessage(topic, message)
    if (parsed.kind === 'event' && parsed.event.data !== null) {
      const data = parsed.event.data as { version: number }
      return { kind: 'data', id: parsed.event.subject, type: parsed.event.type, version: data.version, data }
    }
    if (parsed.kind !== 'unknown') {
      const reason = parsed.kind === 'poison' ? parsed.reason : 'no data'
      poison.inc({ topic })
      logger.warn({ offset: message.offset, key: id, reason }, 'message not understood, the earlier version stays')
      refused.add({ partition, message, reason })
    }
    return undefined
  }

  async function settle (): Promise<void> {
    const result = replay?.settle()
    if (result === undefined) return
    if (replay?.hasSeenNothing && entries.size > 0) logger.warn({ entities: entries.size }, 'topic is empty, the stored copy stays')
    saver.save(result.deleted)
    saver.forget(result.forgotten)
    heardAt = Date.now()
    current.resolve()
    logger.info({ entities: entries.size, deleted: result.deleted.length, forgotten: result.forgotten.length }, 'replica current')
  }

  async function eachBatch ({ batch, resolveOffset, heartbeat }: EachBatchPayload): Promise<void> {
    for (const message of batch.messages) {
      saver.save(replay?.receive(batch.partition, message.offset, parse(batch.partition, message)) ?? [])
      resolveOffset(message.offset)
    }
    await settle()
    await saver.flush()
    await heartbeat()
  }

  const consumer = superviseConsumer({
    create: () => kafka.createConsumer({ groupId: kafka.prefixed(`${name}.replica.${randomUUID()}`) }),
    topics: [kafka.prefixed(topic)],
    logger,
    outage: createAlarms({ metrics, logger }).outage('kafka-away'),
    eachBatch,
    onStart: async () => {
      replay = createReplay(entries, await readWatermarks())
      await settle()
    },
    onContact: () => {
      saver.flushSoon()
      if (!replay?.isCurrent) return
      heardAt = Date.now()
      lastContact.set({ topic }, heardAt / 1_000)
    },
  })

  const state = () => replay?.isCurrent ? 'current' : hasStoredCopy ? 'stored' : 'empty'

  return {
    async start () {
      try {
        const stored = await store.load()
        for (const entry of stored.entries) entries.apply(entry)
        hasStoredCopy = entries.size > 0
        heardAt = stored.updatedAt?.getTime()
      } catch (err) {
        logger.warn({ err }, 'stored copy not read')
      }
      consumer.start()
    },
    async whenUsable (timeoutMs) {
      await deadline(current.promise, timeoutMs, () => new Error('not current')).catch(() => {})
      return state()
    },
    get (type, id) {
      const entry = entries.get(id)
      return entry?.type === type ? entry.data as never ?? undefined : undefined
    },
    list: type => Array.from(entries.all()).filter(entry => entry.type === type && entry.data !== null).map(entry => entry.data as never),
    onChange: listener => entries.onChange(change => listener(change as unknown as ChangeIn<Topic>)),
    check () {
      const ageMs = heardAt === undefined ? null : Date.now() - heardAt
      return { isOk: state() !== 'empty', state: state(), isConnected: consumer.isConsuming, entities: entries.size, ageMs }
    },
    async stop () {
      await consumer.stop()
      await saver.flush()
      await refused.stop()
    },
  }
}
