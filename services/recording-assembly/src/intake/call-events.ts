import { createConsumer, type Database, type InboxConsumer, type KafkaClient, type Logger, type Metrics } from '@tacet/service-kit'
import { deadLetterTopic, topics } from '@tacet/contracts'
import { inbox } from '../db/schema.ts'
import type { ReceiveSegment } from '../usecases/receive-segment.ts'
import type { ReceiveManifest } from '../usecases/receive-manifest.ts'

export interface CallEventsOptions {
  kafka: KafkaClient
  database: Database
  logger: Logger
  metrics: Metrics
  receiveManifest: ReceiveManifest
  /** Those that are closed while their call goes on. */
  receiveSegment: ReceiveSegment
  onReceived: () => void
}

/** Of all that is said about calls, the end of a recording carries everything; segments are only checked earlier. */
export function consumeCallEvents ({ receiveManifest, receiveSegment, onReceived, ...kit }: CallEventsOptions): InboxConsumer {
  return createConsumer({
    ...kit,
    groupId: 'recording-assembly',
    topics: [topics.calls],
    inbox,
    deadLetterTopic: deadLetterTopic('recording-assembly'),
    handle: async (event, tx) => {
      if (event.type === 'recording.ended') await receiveManifest(event.data.manifest, event.correlationId ?? null, tx)
      if (event.type === 'segment.closed') await receiveSegment(event.data, event.correlationId ?? null, tx)
    },
    onCommitted: onReceived,
  })
}
