import type { Stack } from '@tacet/contracts'
import { topics } from '@tacet/contracts'
import { eventually, kafkaProbe } from '@tacet/test-kit'
import type { ProbedEvent } from '@tacet/test-kit'
import { Failure } from '../system/failure.ts'

export type Follower = {
  /** What was published of the call, as it came. */
  events: ProbedEvent[]
  /** Follows the call with this SIP Call-ID from its first event on. */
  follow: (sipCallId: string, onEvent: (event: ProbedEvent) => void) => void
  /** The first event of that type, here already or still to come; a Failure when it takes too long or the recording failed. */
  until: (type: string, timeoutMs: number) => Promise<ProbedEvent>
  close: () => Promise<void>
}

const lookEveryMs = 20

/** Reads the events of calls and recordings from now on, as any other service would. */
export async function openFollower ({ kafka }: Stack): Promise<Follower> {
  const probe = await kafkaProbe({ brokers: kafka.brokers, topics: [topics.calls, topics.recordings].map((topic) => kafka.topicPrefix + topic) })
  const events: ProbedEvent[] = []
  let timer: NodeJS.Timeout | undefined
  return {
    events,
    follow (sipCallId, onEvent) {
      let callId: string | undefined
      let seen = 0
      timer = setInterval(() => {
        callId ??= probe.events.find(({ data }) => data?.sipCallIds?.includes(sipCallId))?.subject
        if (!callId) return
        for (; seen < probe.events.length; seen++) {
          const event = probe.events[seen]!
          if (event.subject !== callId) continue
          events.push(event)
          onEvent(event)
        }
      }, lookEveryMs)
    },
    async until (type, timeoutMs) {
      const event = await eventually(() => events.find((candidate) => candidate.type === type || candidate.type === 'recording.failed'), { timeoutMs })
        .catch(() => { throw new Failure(`No ${type} event came within ${timeoutMs / 1000} s. What did come: ${events.map((other) => other.type).join(', ') || 'nothing'}.`) })
      if (event.type !== type) throw new Failure(`The recording failed: ${event.data.code}, ${event.data.detail}`)
      return event
    },
    async close () {
      clearInterval(timer)
      await probe.close()
    },
  }
}
