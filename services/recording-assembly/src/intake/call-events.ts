import { createConsumer, type Database, type InboxConsumer, type KafkaClient, type Logger, type Metrics } from '@tacet/service-kit'
import { deadLetterTopic, topics } from '@tacet/contracts'
import { inbox } from '../db/schema.ts'
import type { ReceiveManifest } from '../usecases/receive-manifest.ts'

export interface CallEventsOptions {
  kafka: KafkaClient
  database: Database
  logger: Logger
  metrics: Metrics
  receiveManifest: ReceiveManifest
  onReceived: () => void
}

/** Of all that is said about calls, only the end of a recording matters here: it carries everything. */
export function consumeCallEvents ({ receiveManifest, onReceived, ...kit }: CallEventsOptions): InboxConsumer {
  return createConsumer({
    ...kit,
    groupId: 'recording-assembly',
    topics: [topics.calls],
    inbox,
    deadLetterTopic: deadLetterTopic('recording-assembly'),
    handle: async (event, tx) => {
      if (event.type === 'recording.ended') await receiveManifest(event.data.manifest, event.correlationId ?? null, tx)
    },
    onCommitted: onReceived,
  })
}
