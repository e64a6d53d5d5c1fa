import { randomUUID } from 'node:crypto'
import { commandAnswerSchema, liveCallListSchema } from '@tacet/contracts'
import type { CommandAnswer, Stack } from '@tacet/contracts'
import { createHttpClient, eventually } from '@tacet/test-kit'
import type { AudioSource, ReceivedPacket, SentPacket } from '@tacet/test-kit'
import { Failure } from '../system/failure.ts'
import { withConversation } from './parties.ts'
import type { ConversationOptions } from './parties.ts'
import { script } from './script.ts'
import type { Speaker } from './script.ts'
import type { Segments } from './spool.ts'

export type Command = { requestedAtMs: number, answeredAtMs: number, answer: CommandAnswer }

export type PlayedCall = {
  callId: string
  sent: Record<Speaker, { packets: SentPacket[], sources: AudioSource[] }>
  receivedByAgent: ReceivedPacket[]
  pause: Command
  resume: Command
  hungUpAtMs: number
  /** Sizes of the segment files when the pause had been answered, and just before it was lifted; null when they can't be seen. */
  sizes: { paused: Record<string, number>, beforeResume: Record<string, number> } | null
}

type CallOptions = ConversationOptions & {
  segments: Segments | null
  /** Anna's lamp: she speaks on when the change of the recording has been published. */
  untilPublished: (type: 'recording.paused' | 'recording.resumed') => Promise<unknown>
}

/** The clock that stamps the packets. */
const now = (): number => performance.timeOrigin + performance.now()

/** The demo call: Anna stops the recording over REST while the customer reads out a card number. */
export async function playCall (stack: Stack, { segments, untilPublished, ...options }: CallOptions): Promise<PlayedCall> {
  const desk = createDesk(stack)
  return await withConversation(stack, options, async ({ customer, anna, sources, say }) => {
    await say(script.before)
    const callId = await desk.findCall(anna.sipCallId)
    const pause = await desk.command(callId, 'pause', 'card number')
    const paused = segments?.look(callId)
    await untilPublished('recording.paused')
    await say(script.secret)
    const beforeResume = segments?.look(callId)
    const resume = await desk.command(callId, 'resume')
    await untilPublished('recording.resumed')
    await say(script.after)
    segments?.look(callId)
    const hungUpAtMs = now()
    await customer.hangup()
    await anna.ended()
    return {
      callId,
      sent: { agent: { packets: anna.sentPackets, sources: sources.agent }, customer: { packets: customer.sentPackets, sources: sources.customer } },
      receivedByAgent: anna.received,
      pause,
      resume,
      hungUpAtMs,
      sizes: paused && beforeResume ? { paused, beforeResume } : null,
    }
  })
}

/** Anna's screen: call-control over REST, with her own token. */
function createDesk ({ callControl, agents }: Stack) {
  const request = createHttpClient(callControl?.url ?? '', { token: agents[0]?.apiToken ?? '' })
  return {
    async findCall (sipCallId: string): Promise<string> {
      const call = await eventually(async () => {
        const { items } = liveCallListSchema.parse((await request('/v1/calls')).body)
        return items.find((item) => item.sipCallIds.includes(sipCallId) && item.recording.state === 'recording')
      }).catch(() => { throw new Failure('Anna\'s call is not being recorded, although the rules say that it is.') })
      return call.callId
    },
    async command (callId: string, action: 'pause' | 'resume', note?: string): Promise<Command> {
      const requestedAtMs = now()
      const { status, body } = await request(`/v1/calls/${callId}/recording/${action}`, {
        method: 'POST', headers: { 'idempotency-key': randomUUID() }, ...note ? { body: { note } } : {},
      })
      const answeredAtMs = now()
      if (status !== 200) throw new Failure(`The ${action} was answered ${status}: ${JSON.stringify(body)}`)
      return { requestedAtMs, answeredAtMs, answer: commandAnswerSchema.parse(body) }
    },
  }
}
