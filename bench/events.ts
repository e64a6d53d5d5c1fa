import { randomBytes } from 'node:crypto'
import { Kafka, logLevel } from 'kafkajs'

/** A message and when it was here, by `performance.now()`. */
export interface Arrived { topic: string, key: string, type: string, atMs: number, bytes: number, value: string }

export interface Listener {
  arrived: Arrived[]
  /** The first that the predicate takes, here already or still to come. */
  waitFor: (predicate: (message: Arrived) => boolean, timeoutMs?: number) => Promise<Arrived>
  close: () => Promise<void>
}

export const connectKafka = (brokers: string[]): Kafka => new Kafka({ brokers, clientId: 'bench', logLevel: logLevel.NOTHING })

/** A plain consumer, as another service would have one. */
export async function listen (brokers: string[], topics: string[]): Promise<Listener> {
  const consumer = connectKafka(brokers).consumer({ groupId: `bench-${randomBytes(4).toString('hex')}`, allowAutoTopicCreation: false })
  const arrived: Arrived[] = []
  const waiting = new Set<(message: Arrived) => void>()
  const joined = new Promise(resolve => consumer.on('consumer.group_join', resolve))
  await consumer.connect()
  await consumer.subscribe({ topics, fromBeginning: true })
  await consumer.run({
    async eachMessage ({ topic, message }) {
      const atMs = performance.now()
      const one = { topic, key: String(message.key), type: String(message.headers?.ce_type), atMs, bytes: message.value?.length ?? 0, value: String(message.value) }
      arrived.push(one)
      for (const look of waiting) look(one)
    },
  })
  await joined
  return {
    arrived,
    async waitFor (predicate, timeoutMs = 30_000) {
      const here = arrived.find(predicate)
      if (here) return here
      return await new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error('the event did not come')), timeoutMs)
        const look = (message: Arrived) => {
          if (!predicate(message)) return
          waiting.delete(look)
          clearTimeout(timer)
          resolve(message)
        }
        waiting.add(look)
      })
    },
    close: async () => await consumer.disconnect(),
  }
}
