import type { Call } from '../domain/call.ts'
import type { Cause } from '../domain/recording.ts'
import type { CallSession } from './call-session.ts'

const byPolicy: Cause = { commandId: null, by: { kind: 'policy', agentId: null, credentialId: null } }

/**
 * Sets and lifts the silences that no person asked for.
 *
 * While a customer's call is paused, the internal calls of its agents stay silent too: an attended transfer puts the
 * customer into the consultation's bridge before it says so, and a recorder there would hear what was paused.
 * A call that was transferred has its recorder replaced: silent until the old one is gone.
 */
export function keepPolicySilence (sessions: CallSession[], atMs: number): void {
  const live = sessions.filter(session => session.call.endedAtMs === null)
  const guarded = new Set(live.map(session => session.call).filter(isPausedWithCustomer).flatMap(agentsOf))
  for (const session of live) {
    const { direction, recording: { reasons, phase } } = session.call
    const isSilent = reasons.includes('policy')
    const isWanted = direction === 'internal' && agentsOf(session.call).some(agentId => guarded.has(agentId))
    if (isWanted && !isSilent) session.dispatch({ type: 'recording', input: { type: 'silence', atMs, reason: 'policy', cause: byPolicy } })
    const isLiftable = phase.status === 'paused' || phase.status === 'off'
    if (!isWanted && isSilent && isLiftable) session.dispatch({ type: 'recording', input: { type: 'lift', atMs, reason: 'policy', cause: byPolicy } })
  }
}

/** Also who still rings: they may be in the call before we hear of it. */
const agentsOf = ({ participants }: Call): string[] => participants.filter(({ leftAtMs }) => leftAtMs === null).map(({ agentId }) => agentId)

function isPausedWithCustomer ({ direction, recording }: Call): boolean {
  if (direction === 'internal') return false
  switch (recording.phase.status) {
    case 'pausing': case 'paused': case 'unconfirmed': case 'resuming': return true
    case 'off': case 'starting': case 'recording': case 'ending': case 'ended': return false
  }
}
