import type { SentPacket } from '@tacet/test-kit'
import { account, presentMs, sentMs, unexplainedMs } from './account.ts'
import type { Account, Gains, Voice } from './account.ts'
import type { Check } from './checks.ts'

export type Span = { fromMs: number, toMs: number }

export type Evidence = {
  voices: { agent: Voice, customer: Voice }
  recording: Int16Array
  gains: Gains
  /** What Asterisk wrote, file by file; null when its spool can't be read from here. */
  segments: Array<{ name: string, samples: Int16Array }> | null
  receivedByAgent: Int16Array
  /** From the answer "paused" to the request to resume. */
  silence: Span
  /** While it recorded, by the timeline and the requests. */
  recorded: Span[]
}

/** Measured: up to 46 ms are lost before a pause, up to 40 ms after a start; the rest is for a busy machine. */
const edgeMs = 120
const toleratedLossMs = 60
const spliceSamples = 160

const within = ({ fromMs, toMs }: Span) => ({ sentAtMs }: SentPacket): boolean => sentAtMs >= fromMs && sentAtMs < toMs
/** Rounded, but something is never nothing. */
const ms = (value: number): string => `${value > 0 ? Math.max(1, Math.round(value)) : 0} ms`
const seconds = (valueMs: number): string => `${(valueMs / 1000).toFixed(1)} s`

/** Judges the promise by the audio itself; `account` of the recording comes along for the report. */
export function checkAudio (evidence: Evidence): { checks: Check[], recording: Account } {
  const { voices, segments } = evidence
  const both = [voices.agent, voices.customer]
  const recording = account(evidence.recording, both, evidence.gains)
  const checks = [silenceIsKept('the recording', 'recording-silent', [recording], evidence)]
  if (segments) {
    const accounts = segments.map(({ samples }) => account(samples, both))
    const check = silenceIsKept(`the ${segments.length} segment files that Asterisk wrote`, 'segments-silent', accounts, evidence)
    checks.push({ ...check, isOk: check.isOk && segments.length > 0, measured: { ...check.measured, files: segments.map(({ name }) => name) } })
  }
  checks.push(restIsThere(recording, evidence), agentHeardIt(evidence), aLeakWouldShow(recording, evidence))
  return { checks, recording }
}

/** Milliseconds of what was sent in the silence, and of what cannot be told, in an account. */
function leakOf (accounts: Account[], { voices, silence }: Evidence): { agentMs: number, customerMs: number, unexplainedMs: number } {
  const sum = (measure: (one: Account) => number): number => accounts.reduce((total, one) => total + measure(one), 0)
  return {
    agentMs: sum((one) => presentMs(one, voices.agent, within(silence))),
    customerMs: sum((one) => presentMs(one, voices.customer, within(silence))),
    unexplainedMs: sum(unexplainedMs),
  }
}

function silenceIsKept (where: string, name: string, accounts: Account[], evidence: Evidence): Check {
  const { agentMs, customerMs, unexplainedMs: unknownMs } = leakOf(accounts, evidence)
  const leakedMs = Math.max(agentMs, customerMs)
  const silentMs = evidence.silence.toMs - evidence.silence.fromMs
  return {
    name,
    isOk: leakedMs === 0 && unknownMs === 0,
    says: `of the ${seconds(silentMs)} spoken while paused, ${leakedMs === 0 ? 'nothing' : ms(leakedMs)} is in ${where}${unknownMs === 0 ? '' : `; ${ms(unknownMs)} in it cannot be told`}`,
    measured: { silentMs, agentMs, customerMs, unexplainedMs: unknownMs },
  }
}

function restIsThere (recording: Account, { voices, recorded }: Evidence): Check {
  const certain = recorded.map(({ fromMs, toMs }) => within({ fromMs: fromMs + edgeMs, toMs: toMs - edgeMs }))
  const parties = Object.values(voices).map((voice) => {
    const selected = (packet: SentPacket): boolean => certain.some((test) => test(packet))
    return { name: voice.name, sentMs: sentMs(voice, selected), missingMs: sentMs(voice, selected) - presentMs(recording, voice, selected) }
  })
  const missingMs = Math.max(...parties.map((party) => party.missingMs))
  const total = Math.min(...parties.map((party) => party.sentMs))
  return {
    name: 'rest-present',
    isOk: missingMs <= toleratedLossMs && total > 0,
    isAboutLoss: total > 0,
    says: `of the ${seconds(total)} spoken while recording, ${missingMs < 1 ? 'nothing' : ms(missingMs)} is missing`,
    measured: { parties, edgeMs, toleratedLossMs },
  }
}

/** The call went on as if nothing were: it also shows that the decoder finds the secret where it is. */
function agentHeardIt ({ voices, receivedByAgent, silence }: Evidence): Check {
  const heardMs = presentMs(account(receivedByAgent, [voices.customer]), voices.customer, within(silence))
  const spokenMs = sentMs(voices.customer, within(silence))
  return {
    name: 'agent-heard-it',
    isOk: spokenMs > 0 && spokenMs - heardMs <= toleratedLossMs,
    isAboutLoss: spokenMs > 0,
    says: `Anna's phone received ${seconds(heardMs)} of those ${seconds(spokenMs)}: the call itself never stopped`,
    measured: { spokenMs, heardMs },
  }
}

/** A check that cannot fail shows nothing: the same recording with one packet of the secret in it. */
function aLeakWouldShow (recording: Account, evidence: Evidence): Check {
  const { voices, silence } = evidence
  const secret = voices.customer.packets.findIndex((packet) => within(silence)(packet) && !packet.source.includes('listens'))
  const from = (secret + 5) * 160
  const join = recording.runs.find(({ voice, to }) => voice === voices.customer && to < evidence.recording.length)?.to ?? 0
  const first = Math.max(0, join - 8000)
  const around = evidence.recording.slice(first, join + 8000)
  const at = Math.min(join, 8000)
  const spliced = new Int16Array(around.length + spliceSamples)
  spliced.set(around.subarray(0, at))
  spliced.set(voices.customer.samples.subarray(from, from + spliceSamples), at)
  spliced.set(around.subarray(at), at + spliceSamples)
  const gains: Gains = i => i < at ? evidence.gains(first + i) : i < at + spliceSamples ? 1 : evidence.gains(first + i - spliceSamples)
  const found = leakOf([account(spliced, [voices.agent, voices.customer], gains)], evidence)
  const foundMs = found.customerMs + found.unexplainedMs
  return {
    name: 'leak-would-show',
    isOk: secret >= 0 && foundMs >= spliceSamples / 8 - 1,
    says: `with 20 ms of the card number spliced into a copy, the same check finds ${ms(foundMs)}`,
    measured: { splicedMs: spliceSamples / 8, ...found },
  }
}
