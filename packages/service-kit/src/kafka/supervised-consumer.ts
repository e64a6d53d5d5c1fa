import type { Consumer, EachBatchPayload } from 'kafkajs'
import type { Outage } from '../alarms.ts'
import { backoff } from '../backoff.ts'
import { deadline, pause } from '../deadline.ts'
import type { Logger } from '../logging.ts'

export interface SupervisedConsumerOptions {
  create: () => Consumer
  topics: string[]
  logger: Logger
  /** Kafka, as this consumer sees it. */
  outage: Outage
  eachBatch: (payload: EachBatchPayload) => Promise<void>
  /** A broker answered a fetch: we are in touch. */
  onContact?: () => void
  /** Runs before each (re)connection, for state that belongs to one consumer. */
  onStart?: () => Promise<void> | void
}

export interface SupervisedConsumer {
  /** Begins to consume; does not wait for Kafka to be there. */
  start (): void
  stop (): Promise<void>
  readonly isConsuming: boolean
}

/**
 * A consumer that is always wanted: whenever kafkajs gives up (it crashes for good on some errors, and stays dead),
 * a new one takes its place, with growing pauses between.
 */
export function superviseConsumer (options: SupervisedConsumerOptions): SupervisedConsumer {
  const { create, topics, logger, outage, eachBatch, onContact, onStart } = options
  const stopping = new AbortController()
  let isConsuming = false
  let running: Promise<void> | undefined

  async function consumeUntilCrash (onConsuming: () => void): Promise<void> {
    const consumer = create()
    const { CRASH, FETCH, GROUP_JOIN } = consumer.events
    const ended = new Promise<void>((resolve, reject) => {
      consumer.on(CRASH, ({ payload }) => reject(payload.error))
      stopping.signal.addEventListener('abort', () => resolve(), { once: true })
    })
    ended.catch(() => {})
    consumer.on(FETCH, () => onContact?.())
    consumer.on(GROUP_JOIN, () => {
      isConsuming = true
      onConsuming()
    })
    async function join (): Promise<void> {
      await onStart?.()
      if (stopping.signal.aborted) return
      await consumer.connect()
      if (stopping.signal.aborted) return
      await consumer.subscribe({ topics, fromBeginning: true })
      await consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch })
    }
    const joining = join()
    try {
      await Promise.race([joining, ended])
      await ended
    } finally {
      isConsuming = false
      // Disconnected while it connects, kafkajs would leave that connection open for ever.
      await deadline(joining, 2_000, () => new Error('consumer still joining')).catch(() => {})
      await deadline(consumer.disconnect(), 3_000, () => new Error('consumer did not stop in time')).catch(err => {
        logger.warn({ err, topics }, 'consumer abandoned')
      })
    }
  }

  async function supervise (): Promise<void> {
    let delays = backoff({ firstMs: 200, maxMs: 5_000 })
    while (!stopping.signal.aborted) {
      try {
        await consumeUntilCrash(() => {
          delays = backoff({ firstMs: 200, maxMs: 5_000 })
          outage.over()
        })
      } catch (err) {
        const delayMs = delays.next().value
        outage.failed(err)
        logger.warn({ err, topics, delayMs }, 'consumer lost')
        await pause(delayMs, stopping.signal)
      }
    }
    outage.over()
  }

  return {
    start () {
      running ??= supervise()
    },
    async stop () {
      stopping.abort()
      await running
    },
    get isConsuming () {
      return isConsuming
    },
  }
}
