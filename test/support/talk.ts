import type { CommandAnswer, LiveCall, RecordingStatus } from '@tacet/contracts'
import { createSignal, eventually, type AudioSource, type Call, type HttpAnswer, type HttpRequest, type Source, type TimeRange } from '@tacet/test-kit'
import { customerNumber, numbers, type Office } from './office.ts'
import type { Tacet } from './tacet.ts'

/** One end of a call and all that was said there. */
export interface Voice extends Source { call: Call }

/** A command and its answer, with the moments when it was sent and when the answer was here. */
export interface Pressed extends HttpAnswer { requestedAtMs: number, answeredAtMs: number }

/** A call with people who never stop talking, and what must and must not be in its recording by the commands given. */
export interface Talk {
  callId: string
  voices: Voice[]
  /** Surely recorded: from the answer of a start to the request of a stop. */
  recorded: TimeRange[]
  /** Surely not: from the answer of a stop to the request of a start. */
  silent: TimeRange[]
  status: (token?: string) => Promise<RecordingStatus>
  /** Waits until it is recorded, and notes that it is. */
  isRecorded: () => Promise<void>
  send: (action: 'pause' | 'resume' | 'stop' | 'start', request?: HttpRequest) => Promise<Pressed>
  /** As `send`; throws unless the answer is 200. */
  pause: (request?: HttpRequest) => Promise<Pressed & { body: CommandAnswer }>
  resume: (request?: HttpRequest) => Promise<Pressed & { body: CommandAnswer }>
  /** What was said from now on is not recorded, until somebody says otherwise. */
  mute: () => void
  /** What is said from now on is recorded, until somebody says otherwise. */
  listen: () => void
  hangup: (voice?: Voice) => Promise<void>
}

export const nowMs = (): number => performance.timeOrigin + performance.now()

let voices = 0
/** A voice of its own: it never repeats, and no other sounds like it. */
export const newSignal = (who: string): AudioSource => createSignal({ seed: ++voices, name: `${who}-${voices}` })
export const voiceOf = (signal: AudioSource, call: Call): Voice => ({ name: signal.name, signal, sentPackets: call.sentPackets, call })

/** Lets time pass, measured in audio: everybody who is in the call says so much more. */
export async function speak (speakers: readonly Voice[], ms: number): Promise<void> {
  const goals = speakers.filter(({ call }) => call.state === 'answered').map(({ call }) => ({ call, packets: call.sentPackets.length + ms / 20 }))
  if (goals.length === 0) throw new Error('nobody is in the call')
  await eventually(() => goals.every(({ call, packets }) => call.sentPackets.length >= packets), { timeoutMs: 1.2 * ms + 15_000, message: `${ms} ms of speech` }) // what is lost on the way has to be said again
}

/** From when it is recorded until it is again: so much is said before, in and after the pause. */
export async function pauseOnce (talk: Talk, eachMs = 400): Promise<void> {
  await talk.isRecorded()
  await speak(talk.voices, eachMs)
  await talk.pause()
  await speak(talk.voices, eachMs)
  await talk.resume()
  await speak(talk.voices, eachMs)
}

/** A customer calls a number of ours and an agent answers. */
export async function receiveCall (office: Office, { number = numbers.direct, desk = 0 }: { number?: string, desk?: 0 | 1 | 2 } = {}): Promise<Talk & { customer: Voice, agent: Voice }> {
  const [customerSignal, agentSignal] = [newSignal('customer'), newSignal(`agent${desk}`)]
  const outgoing = await office.outside.call(number, { callerId: { number: customerNumber }, audio: customerSignal })
  const incoming = await office.desks[desk].waitForCall()
  await incoming.answer({ audio: agentSignal })
  await outgoing.answered()
  const customer = voiceOf(customerSignal, outgoing)
  const agent = voiceOf(agentSignal, incoming)
  const { callId } = await findLive(office.tacet, incoming.sipCallId)
  return { ...createTalk(office.tacet, { callId, voices: [customer, agent], token: office.tacet.agents[desk].token }), customer, agent }
}

/** An agent calls a number or a colleague, who answers. */
export async function placeCall (office: Office, { from, to, desk }: { from: 0 | 1 | 2, to: string, desk?: 0 | 1 | 2 }): Promise<Talk & { caller: Voice, callee: Voice }> {
  const [callerSignal, calleeSignal] = [newSignal(`agent${from}`), newSignal('callee')]
  const outgoing = await office.desks[from].call(to, { audio: callerSignal })
  const incoming = await (desk === undefined ? office.outside : office.desks[desk]).waitForCall()
  await incoming.answer({ audio: calleeSignal })
  await outgoing.answered()
  const caller = voiceOf(callerSignal, outgoing)
  const callee = voiceOf(calleeSignal, incoming)
  const { callId } = await findLive(office.tacet, outgoing.sipCallId)
  return { ...createTalk(office.tacet, { callId, voices: [caller, callee], token: office.tacet.agents[from].token }), caller, callee }
}

/** The call as call-control shows it, once it is answered. */
export async function findLive ({ callControl, supervisorToken }: Tacet, sipCallId: string): Promise<LiveCall> {
  return await eventually(async () => {
    const { body } = await callControl('/v1/calls', { token: supervisorToken })
    return (body.items as LiveCall[]).find(({ sipCallIds, answeredAt }) => sipCallIds.includes(sipCallId) && answeredAt !== null)
  }, { message: 'call-control does not show the call as answered' })
}

export function createTalk (tacet: Tacet, { callId, voices, token }: { callId: string, voices: Voice[], token: string }): Talk {
  const recorded: TimeRange[] = []
  const silent: TimeRange[] = []
  const closeAt = (atMs: number) => {
    for (const range of [recorded.at(-1), silent.at(-1)]) if (range?.toMs === Infinity) range.toMs = atMs
  }
  const openAt = (ranges: TimeRange[], fromMs: number) => {
    if (ranges.at(-1)?.toMs !== Infinity) ranges.push({ fromMs, toMs: Infinity })
  }

  const talk: Talk = {
    callId,
    voices,
    recorded,
    silent,
    async status (by = token) {
      const { status, body } = await tacet.callControl(`/v1/calls/${callId}/recording`, { token: by })
      if (status !== 200) throw new Error(`no status: ${status} ${JSON.stringify(body)}`)
      return body
    },
    async isRecorded () {
      await eventually(async () => (await talk.status(tacet.supervisorToken)).state === 'recording', { message: 'the call is not recorded' })
      talk.listen()
    },
    async send (action, request = {}) {
      const requestedAtMs = nowMs()
      const answer = await tacet.callControl(`/v1/calls/${callId}/recording/${action}`, { method: 'POST', token, ...request }).catch(error => {
        // Nobody knows what became of it.
        closeAt(requestedAtMs)
        throw error
      })
      const answeredAtMs = nowMs()
      if (answer.status >= 500) closeAt(requestedAtMs)
      if (answer.status === 200) {
        closeAt(requestedAtMs)
        openAt(answer.body.state === 'recording' ? recorded : silent, answeredAtMs)
      }
      return { ...answer, requestedAtMs, answeredAtMs }
    },
    pause: async request => await granted(talk.send('pause', request)),
    resume: async request => await granted(talk.send('resume', request)),
    mute () {
      if (silent.at(-1)?.toMs === Infinity) return
      closeAt(nowMs())
      openAt(silent, nowMs())
    },
    listen () {
      if (recorded.at(-1)?.toMs === Infinity) return
      closeAt(nowMs())
      openAt(recorded, nowMs())
    },
    async hangup (voice = voices[0]) {
      closeAt(nowMs())
      await voice?.call.hangup()
      await Promise.all(voices.map(({ call }) => call.ended()))
    },
  }
  return talk
}

async function granted (pressed: Promise<Pressed>): Promise<Pressed> {
  const answer = await pressed
  if (answer.status !== 200) throw new Error(`not granted: ${answer.status} ${JSON.stringify(answer.body)}`)
  return answer
}
