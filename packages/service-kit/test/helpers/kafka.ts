import type { Test } from 'tap'
import type { IHeaders } from 'kafkajs'
import { fromKafkaMessage, type KafkaClient } from '@tacet/service-kit'
import { unique } from './stack.ts'

export interface Seen {
  topic: string
  partition: number
  offset: string
  key: string | undefined
  value: string | undefined
  headers: IHeaders
}

/** Everything in some topics, from their beginning, as it arrives. */
export async function watch (t: Test, kafka: KafkaClient, topics: string[]): Promise<Seen[]> {
  const consumer = kafka.createConsumer({ groupId: kafka.prefixed(`watch.${unique()}`) })
  t.teardown(() => consumer.disconnect())
  const seen: Seen[] = []
  await consumer.connect()
  await consumer.subscribe({ topics: topics.map(kafka.prefixed), fromBeginning: true })
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ topic, partition, message }) => {
      seen.push({ topic: kafka.unprefixed(topic), partition, offset: message.offset, key: message.key?.toString(), value: message.value?.toString(), headers: message.headers ?? {} })
    },
  })
  return seen
}

export function eventsIn (seen: Seen[]) {
  return seen.flatMap(({ topic, key, value, headers }) => {
    const parsed = fromKafkaMessage(topic, { key: key ?? null, value: value ?? null, headers })
    return parsed.kind === 'event' ? [parsed.event] : []
  })
}
