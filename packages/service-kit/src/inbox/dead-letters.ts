import type { IHeaders, KafkaMessage, Producer } from 'kafkajs'
import { createAlarms } from '../alarms.ts'
import { backoff } from '../backoff.ts'
import { deadline, pause } from '../deadline.ts'
import type { KafkaClient } from '../kafka/client.ts'
import type { Logger } from '../logging.ts'
import { counter, type Metrics } from '../metrics.ts'

export interface DeadLetter {
  /** Without prefix. */
  topic: string
  partition: number
  message: KafkaMessage
  reason: string
}

export interface DeadLetters {
  /** Resolves when the broker has it; tries for as long as `alive` does not throw. */
  send (letter: DeadLetter, alive: () => Promise<void>): Promise<void>
  close (): Promise<void>
}

/** Puts aside what can't be consumed: as received, with headers that say where it was and what was wrong. */
export function createDeadLetters ({ kafka, topic, logger, metrics }: { kafka: KafkaClient, topic: string, logger: Logger, metrics: Metrics }): DeadLetters {
  const total = counter(metrics, 'tacet_dead_letters_total', 'Messages put aside, to be looked at', ['topic'])
  const alarms = createAlarms({ metrics, logger })
  let connected: Promise<Producer> | undefined

  async function connect (): Promise<Producer> {
    const producer = kafka.createProducer()
    await producer.connect()
    return producer
  }

  async function trySend (letter: DeadLetter): Promise<void> {
    connected ??= connect()
    try {
      const producer = await connected
      const { key, value, headers } = letter.message
      await producer.send({ topic: kafka.prefixed(topic), acks: -1, messages: [{ key, value, headers: deadLetterHeaders(letter, headers) }] })
    } catch (error) {
      const broken = connected
      connected = undefined
      broken?.then(producer => producer.disconnect()).catch(() => {})
      throw error
    }
  }

  return {
    async send (letter, alive) {
      const { partition, message: { offset }, reason } = letter
      const delays = backoff({ maxMs: 2_000 })
      for (;;) {
        try {
          await trySend(letter)
          total.inc({ topic: letter.topic })
          return alarms.raise('dead-letter', { topic: letter.topic, partition, offset, reason })
        } catch (err) {
          logger.warn({ err, topic: letter.topic, partition, offset }, 'dead letter not sent, trying again')
        }
        await pause(delays.next().value)
        await alive()
      }
    },
    async close () {
      const producer = await connected?.catch(() => undefined)
      if (producer !== undefined) await deadline(producer.disconnect(), 2_000, () => new Error('producer did not disconnect')).catch(() => {})
    },
  }
}

function deadLetterHeaders ({ topic, partition, message, reason }: DeadLetter, headers: IHeaders | undefined): IHeaders {
  return {
    ...headers,
    dead_letter_topic: topic,
    dead_letter_partition: String(partition),
    dead_letter_offset: message.offset,
    dead_letter_reason: reason.slice(0, 2_000),
    dead_letter_at: new Date().toISOString(),
  }
}
