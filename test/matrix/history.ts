import { customerNumber, numbers, type Office } from '../support/office.ts'
import { createTalk, findLive, newSignal, nowMs, receiveCall, speak, voiceOf, type Pressed, type Talk, type Voice } from '../support/talk.ts'

export type RecordingState = 'recording' | 'paused' | 'unconfirmed' | 'off' | 'ended'

/** A call of a history: what was asked for, what was answered, and so what may be true of it now. */
export interface Line {
  name: string
  talk: Talk
  /** The states that agree with every answer given so far, and with whatever may come of what is being asked. */
  may: Set<RecordingState>
  /** The PBX that carried it died while it was recorded. What was not recorded then lacks nothing. */
  isCutOff: boolean
  /** It must lack something, for such a reason. */
  lacks: RegExp | null
  /** It was answered while nobody may have seen that: what was said before may be lost. */
  isLate: boolean
  press: (action: 'pause' | 'resume') => Promise<Pressed | undefined>
  /** Notes a state that we were told of, and that is therefore promised. */
  learn: (state: RecordingState) => void
  hangup: () => Promise<void>
  /** The PBX that carried it is gone. Resolves when the phones know too: whom they ask answers once it is back. */
  cutOff: () => Promise<unknown>
  isOver: boolean
  isKnownToBeOver: boolean
}

/** Everything that happens to some calls while faults come and go. */
export interface History {
  office: Office
  lines: Line[]
}

/** After an answer it may take so long until the recorder runs, without anything being called missing. */
const firstStartMs = 300

/** A customer calls, the agent at `desk` answers, Tacet sees it. */
export async function callIn (history: History, desk: 0 | 1 | 2): Promise<Line> {
  const talk = await receiveCall(history.office, { number: desk === 0 ? numbers.direct : numbers.queue, desk })
  return addLine(history, talk, `call ${history.lines.length + 1}`)
}

/** The same while Tacet may be anywhere; resolves with what makes it a line once Tacet is back. */
export async function callInUnseen (history: History, desk: 0 | 1 | 2): Promise<{ voices: Voice[], meet: () => Promise<Line> }> {
  const { office } = history
  const [customerSignal, agentSignal] = [newSignal('unseen-customer'), newSignal(`agent${desk}`)]
  const outgoing = await office.outside.call(desk === 0 ? numbers.direct : numbers.queue, { callerId: { number: customerNumber }, audio: customerSignal })
  const incoming = await office.desks[desk].waitForCall()
  await incoming.answer({ audio: agentSignal })
  await outgoing.answered()
  const answeredAtMs = nowMs()
  const voices = [voiceOf(customerSignal, outgoing), voiceOf(agentSignal, incoming)]
  return {
    voices,
    async meet () {
      const { callId } = await findLive(office.tacet, incoming.sipCallId)
      const line = addLine(history, createTalk(office.tacet, { callId, voices, token: office.tacet.agents[desk].token }), `call ${history.lines.length + 1}, that came meanwhile`)
      line.isLate = true
      line.talk.recorded.push({ fromMs: answeredAtMs + firstStartMs, toMs: Infinity })
      return line
    },
  }
}

function addLine (history: History, talk: Talk, name: string): Line {
  const line: Line = {
    name,
    talk,
    may: new Set(['recording']),
    isCutOff: false,
    lacks: null,
    isLate: false,
    isOver: false,
    isKnownToBeOver: false,
    async press (action) {
      const before = line.may
      line.may = new Set([...before, action === 'pause' ? 'paused' : 'recording', 'paused', 'unconfirmed'])
      const answer = await talk.send(action, { timeoutMs: 20_000 }).catch(() => undefined)
      if (answer?.status === 200) line.may = new Set([answer.body.state])
      // Who is refused changes nothing; who gets an error, or no answer, knows nothing.
      else if (answer !== undefined && answer.status < 500) line.may = before
      return answer
    },
    learn (state) {
      line.may = new Set([state])
      if (state === 'paused' || state === 'off') talk.mute()
      if (state === 'recording') talk.listen()
    },
    async hangup () {
      line.isOver = true
      line.may = new Set([...line.may, 'ended'])
      await talk.hangup()
      line.may = new Set(['ended'])
    },
    async cutOff () {
      line.isCutOff = line.may.has('recording')
      line.isOver = true
      line.may = new Set(['ended'])
      return await Promise.allSettled(talk.voices.map(async ({ call }) => await call.hangup()))
    },
  }
  history.lines.push(line)
  return line
}

export const liveLines = ({ lines }: History): Line[] => lines.filter(({ isOver }) => !isOver)
export const voicesOf = (history: History): Voice[] => liveLines(history).flatMap(({ talk }) => talk.voices)

/** Everybody says so much more, if anybody is there. */
export async function talkOn (history: History, ms: number, more: Voice[] = []): Promise<void> {
  const voices = [...voicesOf(history), ...more].filter(({ call }) => call.state === 'answered')
  if (voices.length > 0) await speak(voices, ms)
}

/** The moment from which on an audio packet counts as recent. */
export const recentMs = (): number => nowMs() - 2000
