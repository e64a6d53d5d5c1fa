import type { Call } from './call.ts'
import type { PhaseName } from './recording.ts'

/** A toggle pressed again this soon is a bounce, or a finger that pressed twice to be sure. */
export const toggleBounceMs = 2000

/** What a toggle key does now. Pressed twice in haste it never lifts the pause it made. */
export function decideToggle (status: PhaseName, lastToggleAtMs: number | undefined, atMs: number): 'pause' | 'resume' | 'nothing' | 'unconfirmed' {
  switch (status) {
    case 'unconfirmed': return 'unconfirmed'
    case 'recording': case 'starting': case 'resuming': case 'pausing': return 'pause'
    case 'off': case 'paused': return lastToggleAtMs !== undefined && atMs - lastToggleAtMs < toggleBounceMs ? 'nothing' : 'resume'
    case 'ending': case 'ended': return 'nothing'
  }
}

/** The call a phone means: the one it names, else the only one, else the only one that is not on hold. */
export function chooseCall (calls: Call[], agentId: string, sipCallId: string | undefined): Call | 'none' | 'several' {
  const own = calls.filter(call => call.endedAtMs === null && partOf(call, agentId) !== undefined)
  const named = sipCallId === undefined ? own : own.filter(call => call.sipCallIds.includes(sipCallId))
  if (named.length === 0) return 'none'
  if (named.length === 1) return named[0]!
  const active = named.filter(call => partOf(call, agentId)?.isOnHold === false)
  return active.length === 1 ? active[0]! : 'several'
}

const partOf = (call: Call, agentId: string) =>
  call.participants.find(participant => participant.agentId === agentId && participant.joinedAtMs !== null && participant.leftAtMs === null)
