import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Kafka, logLevel } from 'kafkajs'
import { z } from 'zod'
import { eventually } from '../deadline.ts'

/** A message as a stranger would read it: CloudEvents 1.0, binary mode. */
export interface ProbedEvent {
  id: string | undefined
  type: string | undefined
  source: string | undefined
  subject: string | undefined
  time: string | undefined
  /** Parsed JSON; the raw text when it is none, null for a tombstone. */
  data: any
  topic: string
  partition: number
  offset: bigint
  key: string | undefined
  headers: Record<string, string>
}

export interface KafkaProbe {
  /** Everything so far, each partition in its order. */
  events: ProbedEvent[]
  /** The first event that the predicate takes, already here or still to come. */
  waitFor: (predicate: (event: ProbedEvent) => boolean, options?: { timeoutMs?: number, message?: string }) => Promise<ProbedEvent>
  close: () => Promise<void>
}

function connect (brokers: string[]): Kafka {
  return new Kafka({ brokers, clientId: 'tacet-test-kit', logLevel: logLevel.NOTHING, connectionTimeout: 3000, retry: { retries: 5 } })
}

/** Reads topics (with their prefix) from their beginning, or what is published from now on. */
export async function kafkaProbe (options: { brokers: string[], topics: string[], from?: 'beginning' | 'now' }): Promise<KafkaProbe> {
  const { brokers, topics, from = 'now' } = options
  const kafka = connect(brokers)
  const ends = from === 'now' ? await endsOf(kafka, topics) : new Map<string, bigint>()
  const consumer = kafka.consumer({ groupId: `probe-${randomBytes(8).toString('hex')}`, maxWaitTimeInMs: 100, allowAutoTopicCreation: false })
  const events: ProbedEvent[] = []
  const joined = Promise.withResolvers<void>()
  consumer.on('consumer.group_join', () => joined.resolve())
  consumer.on('consumer.crash', ({ payload }) => joined.reject(payload.error))
  joined.promise.catch(() => {})
  await consumer.connect()
  try {
    await consumer.subscribe({ topics, fromBeginning: true })
    await consumer.run({
      async eachMessage ({ topic, partition, message }) {
        const offset = BigInt(message.offset)
        if (offset < (ends.get(`${topic}/${partition}`) ?? 0n)) return
        const headers = Object.fromEntries(Object.entries(message.headers ?? {}).map(([name, value]) => [name, String(value)]))
        events.push({
          id: headers.ce_id,
          type: headers.ce_type,
          source: headers.ce_source,
          subject: headers.ce_subject,
          time: headers.ce_time,
          data: parse(message.value),
          topic,
          partition,
          offset,
          key: message.key?.toString(),
          headers,
        })
      },
    })
    await joined.promise
  } catch (error) {
    await consumer.disconnect()
    throw error
  }
  return {
    events,
    waitFor: (predicate, { message = 'the event did not come', ...options } = {}) =>
      eventually(() => events.find(predicate), { ...options, message: `${message}; there were ${events.map(({ type }) => type).join(', ') || 'none'}` }),
    close: () => consumer.disconnect(),
  }
}

export interface TestTopics {
  prefix: string
  /** The names on the broker, prefix included. */
  topics: string[]
  drop: () => Promise<void>
}

/** Creates all topics of Tacet under a prefix of their own. */
export async function createTestTopics (brokers: string[]): Promise<TestTopics> {
  const prefix = `test-${randomBytes(6).toString('hex')}.`
  const admin = connect(brokers).admin()
  const wanted = z.array(z.object({ name: z.string(), partitions: z.int(), configs: z.record(z.string(), z.string()) }))
    .parse(JSON.parse(readFileSync(new URL('../../../../infra/kafka/topics.json', import.meta.url), 'utf8')))
  const topics = wanted.map(({ name }) => prefix + name)
  await admin.connect()
  try {
    await admin.createTopics({
      waitForLeaders: false, // it gives up when a busy broker does not know the topics yet
      topics: wanted.map(({ name, partitions, configs }) => ({
        topic: prefix + name,
        numPartitions: partitions,
        replicationFactor: 1,
        configEntries: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
      })),
    })
    // A broker that has just made a topic refuses for a moment to be its leader.
    await eventually(() => Promise.all(topics.map(topic => admin.fetchTopicOffsets(topic))), { timeoutMs: 20_000, message: 'the new topics have no leader' })
  } finally {
    await admin.disconnect()
  }
  return {
    prefix,
    topics,
    async drop () {
      await admin.connect()
      await admin.deleteTopics({ topics }).finally(() => admin.disconnect())
    },
  }
}

async function endsOf (kafka: Kafka, topics: string[]): Promise<Map<string, bigint>> {
  const admin = kafka.admin()
  await admin.connect()
  try {
    const ends = await Promise.all(topics.map(async topic =>
      (await admin.fetchTopicOffsets(topic)).map(({ partition, high }) => [`${topic}/${partition}`, BigInt(high)] as const)))
    return new Map(ends.flat())
  } finally {
    await admin.disconnect()
  }
}

function parse (value: Buffer | null): unknown {
  if (value === null) return null
  try {
    return JSON.parse(value.toString())
  } catch {
    return value.toString()
  }
}
