import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { commandAnswerSchema, liveCallListSchema } from '@tacet/contracts'
import type { CommandAnswer, Stack } from '@tacet/contracts'
import { createHttpClient, createPhone, eventually } from '@tacet/test-kit'
import type { AudioSource, Call, Phone, ReceivedPacket, SentPacket } from '@tacet/test-kit'
import { Failure } from '../system/failure.ts'
import { script } from './script.ts'
import type { Line, Speaker } from './script.ts'
import type { Segments } from './spool.ts'
import { listen } from './voices.ts'
import type { Utterance } from './voices.ts'

export type Command = { requestedAtMs: number, answeredAtMs: number, answer: CommandAnswer }
export type Sent = { packets: SentPacket[], sources: AudioSource[] }

export type PlayedCall = {
  callId: string
  sent: Record<Speaker, Sent>
  receivedByAgent: ReceivedPacket[]
  pause: Command
  resume: Command
  hungUpAtMs: number
  /** Sizes of the segment files when the pause had been answered, and just before it was lifted. */
  sizes: { paused: Record<string, number>, beforeResume: Record<string, number> } | null
}

export const calledNumber = '+442071838750'
export const callerNumber = '+447700900123'
const restMs = 350
const ringMs = 1200

export type CallOptions = {
  utterances: Map<Line, Utterance>
  segments: Segments | null
  signal: AbortSignal
  onDialled: (sipCallId: string) => void
  onLine: (line: Line) => void
}

/** The clock that stamps the packets. */
const now = (): number => performance.timeOrigin + performance.now()

/** The customer calls, Anna answers; she stops the recording over REST while the card number is read to her. */
export async function playCall (stack: Stack, options: CallOptions): Promise<PlayedCall> {
  const anna = stack.agents[0]
  if (!anna) throw new Failure('There is no agent to answer the call.')
  const customer = await createPhone({ sip: stack.sip, account: stack.trunk })
  const agent = await createPhone({ sip: stack.sip, account: anna.sip })
  try {
    return await converse(stack, { customer, agent, token: anna.apiToken ?? '' }, options)
  } finally {
    await Promise.all([customer.close(), agent.close()])
  }
}

type Phones = { customer: Phone, agent: Phone, token: string }

async function converse (stack: Stack, phones: Phones, { utterances, segments, signal, onDialled, onLine }: CallOptions): Promise<PlayedCall> {
  const rest = (ms: number): Promise<void> => delay(ms, undefined, { signal })
  const parties = { agent: createParty('agent'), customer: createParty('customer') }
  await phones.agent.register()
  const outgoing = await phones.customer.call(calledNumber, { callerId: { number: callerNumber }, audio: parties.customer.listening() })
  onDialled(outgoing.sipCallId)
  const incoming = await phones.agent.waitForCall()
  await rest(ringMs)
  await incoming.answer({ audio: parties.agent.listening() })
  await outgoing.answered()
  await rest(2 * restMs)

  const calls: Record<Speaker, Call> = { agent: incoming, customer: outgoing }
  const say = async (lines: readonly Line[]): Promise<void> => {
    for (const line of lines) {
      const utterance = utterances.get(line)
      if (!utterance) throw new Error(`nobody recorded "${line.name}"`)
      onLine(line)
      parties[line.by].speak(calls[line.by], utterance)
      await rest(utterance.durationMs)
      parties[line.by].listen(calls[line.by])
      await rest(restMs)
    }
  }

  const desk = createDesk(stack, phones.token)
  await say(script.before)
  const callId = await desk.findCall(incoming.sipCallId)
  const pause = await desk.command(callId, 'pause', 'card number')
  const paused = segments?.look(callId)
  await say(script.secret)
  const beforeResume = segments?.look(callId)
  const resume = await desk.command(callId, 'resume')
  await say(script.after)
  segments?.look(callId)
  const hungUpAtMs = now()
  await outgoing.hangup()
  await incoming.ended()
  return {
    callId,
    sent: { agent: { packets: incoming.sentPackets, sources: parties.agent.sources }, customer: { packets: outgoing.sentPackets, sources: parties.customer.sources } },
    receivedByAgent: incoming.received,
    pause,
    resume,
    hungUpAtMs,
    sizes: paused && beforeResume ? { paused, beforeResume } : null,
  }
}

/** Somebody who speaks or listens; each turn is an audio source of its own. */
function createParty (speaker: Speaker) {
  const sources: AudioSource[] = []
  const listening = (): AudioSource => {
    const source = listen(speaker, sources.length)
    sources.push(source)
    return source
  }
  return {
    sources,
    listening,
    listen: (call: Call) => call.setAudio(listening()),
    speak (call: Call, { source }: Utterance) {
      sources.push(source)
      call.setAudio(source)
    },
  }
}

/** Anna's screen: call-control over REST, with her own token. */
function createDesk ({ callControl }: Stack, token: string) {
  const request = createHttpClient(callControl?.url ?? '', { token })
  return {
    async findCall (sipCallId: string): Promise<string> {
      const call = await eventually(async () => {
        const { items } = liveCallListSchema.parse((await request('/v1/calls')).body)
        return items.find((item) => item.sipCallIds.includes(sipCallId) && item.recording.state === 'recording')
      }).catch(() => { throw new Failure('Anna\'s call is not being recorded, although the rules say so.') })
      return call.callId
    },
    async command (callId: string, action: 'pause' | 'resume', note?: string): Promise<Command> {
      const requestedAtMs = now()
      const { status, body } = await request(`/v1/calls/${callId}/recording/${action}`, { method: 'POST', headers: { 'idempotency-key': randomUUID() }, ...note ? { body: { note } } : {} })
      const answeredAtMs = now()
      if (status !== 200) throw new Failure(`The ${action} was answered ${status}: ${JSON.stringify(body)}`)
      return { requestedAtMs, answeredAtMs, answer: commandAnswerSchema.parse(body) }
    },
  }
}
