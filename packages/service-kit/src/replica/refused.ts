import type { KafkaMessage } from 'kafkajs'
import { backoff } from '../backoff.ts'
import { deadline, pause } from '../deadline.ts'
import type { DeadLetters } from '../inbox/dead-letters.ts'
import type { Logger } from '../logging.ts'
import type { ReplicaStore } from './store.ts'

export interface Refused { partition: number, message: KafkaMessage, reason: string }

export interface RefusedOptions {
  topic: string
  store: ReplicaStore
  deadLetters: DeadLetters
  logger: Logger
}

const sendingMs = 3_000

/**
 * Puts messages that make no sense to the dead letters, each once, though the topic is read from its beginning at every
 * start: the database remembers which went. The copy never waits for that.
 */
export function createRefused ({ topic, store, deadLetters, logger }: RefusedOptions) {
  const stopping = new AbortController()
  let working: Promise<void> = Promise.resolve()

  /** A topic that was made anew counts from zero again. */
  const idOf = ({ partition, message: { offset, timestamp } }: Refused) => `${partition}/${offset}/${timestamp}`

  async function putAside (refused: Refused): Promise<void> {
    const delays = backoff({ firstMs: 500, maxMs: 30_000 })
    while (!stopping.signal.aborted) {
      try {
        return await store.once(idOf(refused), async () => {
          // Not for longer than a transaction should last.
          const endsAtMs = performance.now() + sendingMs
          await deadLetters.send({ topic, ...refused }, async () => {
            stopping.signal.throwIfAborted()
            if (performance.now() > endsAtMs) throw new Error('Kafka does not take it')
          })
        })
      } catch (err) {
        if (stopping.signal.aborted) return
        logger.warn({ err, topic }, 'message not put aside, trying again')
        await pause(delays.next().value, stopping.signal)
      }
    }
  }

  return {
    add (refused: Refused): void {
      working = working.then(() => putAside(refused))
    },
    async stop (): Promise<void> {
      stopping.abort()
      await deadline(working, 2_000, () => new Error('still at it')).catch(() => {})
      await deadLetters.close()
    },
  }
}
