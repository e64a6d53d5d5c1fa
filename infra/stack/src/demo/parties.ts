import { setTimeout as delay } from 'node:timers/promises'
import type { Stack } from '@tacet/contracts'
import { createPhone } from '@tacet/test-kit'
import type { AudioSource, Call, IncomingCall } from '@tacet/test-kit'
import { Failure } from '../system/failure.ts'
import type { Line, Speaker } from './script.ts'
import { listen } from './voices.ts'
import type { Utterance } from './voices.ts'

export type Conversation = {
  customer: Call
  anna: IncomingCall
  /** Everything each phone played, in turns: an utterance, or a listener's hiss. */
  sources: Record<Speaker, AudioSource[]>
  /** One speaks, the other listens; resolves a breath after the last line. */
  say: (lines: readonly Line[]) => Promise<void>
}

export type ConversationOptions = {
  utterances: Map<Line, Utterance>
  signal: AbortSignal
  onDialled: (sipCallId: string) => void
  onLine: (line: Line) => void
}

const calledNumber = '+442071838750'
const callerNumber = '+447700900123'
const breathMs = 350
const ringMs = 1200

/** A customer calls Anna, who answers; whatever comes of it, nothing of the two phones is left when `work` has ended. */
export async function withConversation<T> (stack: Stack, options: ConversationOptions, work: (conversation: Conversation) => Promise<T>): Promise<T> {
  const { utterances, signal, onDialled, onLine } = options
  const account = stack.agents[0]?.sip
  if (!account) throw new Failure('There is no agent to answer the call.')
  const pause = (ms: number): Promise<void> => delay(ms, undefined, { signal })
  const customerPhone = await createPhone({ sip: stack.sip, account: stack.trunk })
  const annasPhone = await createPhone({ sip: stack.sip, account })
  const sources: Conversation['sources'] = { agent: [], customer: [] }
  const play = (speaker: Speaker, source: AudioSource = listen(speaker, sources[speaker].length)): AudioSource => {
    sources[speaker].push(source)
    return source
  }
  try {
    await annasPhone.register()
    const customer = await customerPhone.call(calledNumber, { callerId: { number: callerNumber }, audio: play('customer') })
    onDialled(customer.sipCallId)
    const anna = await annasPhone.waitForCall()
    await pause(ringMs)
    await anna.answer({ audio: play('agent') })
    await customer.answered()
    await pause(2 * breathMs)

    const calls = { agent: anna, customer }
    const say = async (lines: readonly Line[]): Promise<void> => {
      for (const line of lines) {
        const utterance = utterances.get(line)
        if (!utterance) throw new Error(`nobody can say "${line.name}"`)
        onLine(line)
        calls[line.by].setAudio(play(line.by, { ...utterance.source })) // from its beginning, however often it is said
        await pause(utterance.durationMs)
        calls[line.by].setAudio(play(line.by))
        await pause(breathMs)
      }
    }
    return await work({ customer, anna, sources, say })
  } finally {
    await Promise.all([customerPhone.close(), annasPhone.close()])
  }
}
