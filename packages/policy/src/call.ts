import type { Access, Direction, Level, Switch } from '@tacet/contracts'
import type { DecisionOf } from './decision.ts'
import { resolvePause, resolveRecording, type AgentRules, type Rules } from './rules.ts'

export interface CallRules extends Rules {
  direction: Direction
  /** The other agent of an internal call; null otherwise. */
  peer: AgentRules | null
}

/** On an internal call nobody learns whose rule refused: a colleague's setting is private. */
export type Refusal = { code: 'pause-denied', decidedBy: Level } | { code: 'internal-peer-denied' }

export interface CallDecision {
  recording: { isRecorded: boolean, decision: DecisionOf<Switch>, peerDecision: DecisionOf<Switch> | null }
  /** The decisions are for the audit log and for admins; what the agent may hear is in `refusal`. */
  pause: { mayPause: boolean, decision: DecisionOf<Access>, peerDecision: DecisionOf<Access> | null, refusal: Refusal | null }
}

/**
 * What the rules make of a call for one agent in it. An internal call is recorded only if both agents resolve to on,
 * and stopped or started only if both have access; while its peer is unknown it is neither.
 */
export function resolveCall ({ direction, company, number, agent, peer }: CallRules): CallDecision {
  const isInternal = direction === 'internal'
  const peerRules = isInternal && peer !== null ? { company, number, agent: peer } : null
  const recording = resolveRecording({ company, number, agent, direction })
  const pause = resolvePause({ company, number, agent })
  const peerRecording = peerRules && resolveRecording({ ...peerRules, direction })
  const peerPause = peerRules && resolvePause(peerRules)
  const mayPause = pause.value === 'allow' && (!isInternal || peerPause?.value === 'allow')
  return {
    recording: {
      isRecorded: recording.value === 'on' && (!isInternal || peerRecording?.value === 'on'),
      decision: recording,
      peerDecision: peerRecording,
    },
    pause: { mayPause, decision: pause, peerDecision: peerPause, refusal: mayPause ? null : refusalOf(isInternal, pause) },
  }
}

function refusalOf (isInternal: boolean, { decidedBy }: DecisionOf<Access>): Refusal {
  return isInternal ? { code: 'internal-peer-denied' } : { code: 'pause-denied', decidedBy }
}
