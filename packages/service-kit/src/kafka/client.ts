import { Kafka, logLevel, Partitioners, type Admin, type Consumer, type ISocketFactory, type Producer } from 'kafkajs'
import { deadline } from '../deadline.ts'
import type { CheckResult } from '../http/admin.ts'
import type { Logger } from '../logging.ts'

export interface KafkaClient {
  /** The name of a topic or group on this broker: with the prefix. */
  prefixed (name: string): string
  /** The name of a topic without the prefix. */
  unprefixed (name: string): string
  createProducer (): Producer
  createConsumer (options: ConsumerOptions): Consumer
  createAdmin (): Admin
  check (): Promise<CheckResult>
}

export interface ConsumerOptions {
  groupId: string
  /** A member that was killed holds up its group for so long; a message must be dealt with in less. */
  sessionTimeoutMs?: number
}

export interface KafkaOptions {
  brokers: string[]
  clientId: string
  topicPrefix?: string
  logger: Logger
  /** How to reach a broker's address otherwise than directly. */
  socketFactory?: ISocketFactory
}

/** kafkajs with our settings. Nothing is connected until a producer, consumer or admin is. */
export function createKafka ({ brokers, clientId, topicPrefix = '', logger, socketFactory }: KafkaOptions): KafkaClient {
  const kafka = new Kafka({
    brokers,
    clientId,
    ...(socketFactory === undefined ? {} : { socketFactory }),
    connectionTimeout: 3_000,
    requestTimeout: 10_000,
    retry: { initialRetryTime: 100, maxRetryTime: 2_000, retries: 4 },
    logLevel: logLevel.INFO,
    logCreator: () => ({ level, namespace, log: { message, timestamp: _timestamp, logger: _logger, ...fields } }) => {
      logger[pinoLevel(level)]({ ...fields, namespace, kafka: message }, 'kafka client')
    },
  })

  return {
    prefixed: name => topicPrefix + name,
    unprefixed: name => name.startsWith(topicPrefix) ? name.slice(topicPrefix.length) : name,
    createProducer: () => kafka.producer({
      // Duplicates are the inbox's business; one request in flight keeps the order of a key.
      idempotent: false,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: Partitioners.DefaultPartitioner,
    }),
    createConsumer: ({ groupId, sessionTimeoutMs = 10_000 }) => kafka.consumer({
      groupId,
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: sessionTimeoutMs,
      heartbeatInterval: sessionTimeoutMs / 5,
      // Small batches: a rebalance waits for the batch in hand.
      maxBytesPerPartition: 256 * 1024,
      // Also how long a stop may wait for the fetch in flight.
      maxWaitTimeInMs: 500,
      allowAutoTopicCreation: false,
      // We rebuild a crashed consumer ourselves, whatever it crashed of.
      retry: { initialRetryTime: 100, maxRetryTime: 2_000, retries: 4, restartOnFailure: async () => false },
    }),
    createAdmin: () => kafka.admin({ retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 2 } }),
    async check () {
      const admin = kafka.admin({ retry: { retries: 0 } })
      try {
        await deadline(admin.connect(), 1_500, () => new Error('no broker answered within 1500 ms'))
        return { isOk: true, brokers: (await admin.describeCluster()).brokers.length }
      } finally {
        await admin.disconnect().catch(() => {})
      }
    },
  }
}

/** One step milder than kafkajs says: its errors are retried, and a rebalance is everyday life. */
function pinoLevel (level: logLevel): 'warn' | 'debug' {
  return level === logLevel.ERROR ? 'warn' : 'debug'
}

/** kafkajs names its errors after itself. */
export function isKafkaError (error: unknown): boolean {
  for (let current = error, depth = 0; current instanceof Error && depth < 10; current = current.cause, depth++) {
    if (current.name.startsWith('KafkaJS')) return true
  }
  return false
}
