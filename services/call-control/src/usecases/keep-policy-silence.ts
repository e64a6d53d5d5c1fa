import { joinedAgents, type Call, type Participant } from '../domain/call.ts'
import { byPolicy } from '../domain/recording.ts'
import type { CallSession } from './call-session.ts'

/**
 * Sets and lifts the silences that no person asked for.
 *
 * While a customer's call is paused, no consultation of its agents may hear that customer: an attended transfer puts them
 * into the other call's bridge before it says so, and a recorder there would hear what was paused. Internal calls stay
 * silent, others are recorded from the agent's own leg, which an attended transfer hangs up (docs/adr/0013).
 * A call that was transferred has its recorder replaced: silent until the old one is gone.
 */
export function keepPolicySilence (sessions: CallSession[], atMs: number): void {
  const live = sessions.filter(session => session.call.endedAtMs === null)
  const silences = silencesByAgent(live)
  for (const session of live) {
    const guarded = talkersOf(session.call).filter(({ agentId }) => mayHear(session.call, silences.get(agentId)))
    const legId = session.call.direction === 'internal' ? null : guarded.find(({ leftAtMs }) => leftAtMs === null)?.channelId ?? null
    listenAt(session, legId, atMs)
    keepSilent(session, guarded.length > 0 && legId === null, atMs)
  }
}

/** A customer's call that is paused, and since when; Infinity until that is proven, as there is no gap before. */
interface Silence { callId: string, agentId: string, sinceMs: number }

/** Of one agent: the earliest, and the earliest after it, which is another call's. */
interface Silences { first: Silence, second: Silence | undefined }

/** In one pass: many calls may be paused at once, and each transition of one asks again. */
function silencesByAgent (sessions: CallSession[]): Map<string, Silences> {
  const byAgent = new Map<string, Silences>()
  for (const { call } of sessions) {
    for (const silence of silencesOf(call)) {
      const known = byAgent.get(silence.agentId)
      if (!known || silence.sinceMs < known.first.sinceMs) byAgent.set(silence.agentId, { first: silence, second: known?.first })
      else if (!known.second || silence.sinceMs < known.second.sinceMs) known.second = silence
    }
  }
  return byAgent
}

/** A call that the agent placed, or that began in a silence: people join those to the customer (docs/adr/0013). */
function mayHear ({ callId, direction, answeredAtMs }: Call, silences: Silences | undefined): boolean {
  const earliest = silences?.first.callId === callId ? silences.second : silences?.first
  return earliest !== undefined && (direction !== 'inbound' || answeredAtMs === null || answeredAtMs >= earliest.sinceMs)
}

/** All calls are looked at after every transition of one: of the others everything is known. */
function remembered<T> (of: (call: Call) => T): (call: Call) => T {
  const known = new WeakMap<Call, { value: T }>()
  return call => {
    const entry = known.get(call) ?? { value: of(call) }
    known.set(call, entry)
    return entry.value
  }
}

const silencesOf = remembered((call): Silence[] => {
  if (!isPausedWithCustomer(call)) return []
  const sinceMs = call.recording.gaps.findLast(({ endedAtMs }) => endedAtMs === null)?.startedAtMs ?? Infinity
  return [...new Set(agentsOf(call).map(({ agentId }) => agentId))].map(agentId => ({ callId: call.callId, agentId, sinceMs }))
})

/** Who may bring the paused customer into this call. Whoever has just gone without a word may be about to. */
const talkersOf = remembered((call): Participant[] => {
  if (call.direction === 'internal' || call.answeredAtMs === null) return agentsOf(call)
  const joined = joinedAgents(call)
  return joined.length > 0 ? joined : call.participants.filter(({ joinedAtMs, hasTransferred }) => joinedAtMs !== null && !hasTransferred)
})

function listenAt (session: CallSession, legId: string | null, atMs: number): void {
  const { ownLegId = null, recording: { phase } } = session.call
  // One that listens there already may stay, guarded or not.
  const isSettled = ownLegId === legId || (legId === null && 'segment' in phase && phase.status !== 'starting')
  if (!isSettled) session.dispatch({ type: 'guarded', atMs, legId })
}

function keepSilent (session: CallSession, isWanted: boolean, atMs: number): void {
  const { reasons, phase } = session.call.recording
  const isSilent = reasons.includes('policy')
  if (isWanted && !isSilent) session.dispatch({ type: 'recording', input: { type: 'silence', atMs, reason: 'policy', cause: byPolicy } })
  const isLiftable = phase.status === 'paused' || phase.status === 'off'
  if (!isWanted && isSilent && isLiftable) session.dispatch({ type: 'recording', input: { type: 'lift', atMs, reason: 'policy', cause: byPolicy } })
}

/** Also who still rings: they may be in the call before we hear of it. */
const agentsOf = ({ participants }: Call): Participant[] => participants.filter(({ leftAtMs }) => leftAtMs === null)

function isPausedWithCustomer ({ direction, recording: { phase, reasons } }: Call): boolean {
  if (direction === 'internal' || !reasons.some(reason => reason !== 'policy')) return false
  switch (phase.status) {
    case 'pausing': case 'paused': case 'unconfirmed': case 'resuming': return true
    case 'off': case 'starting': case 'recording': case 'ending': case 'ended': return false
  }
}
