import { problem, type Problem } from '@tacet/contracts'
import type { Call } from '../domain/call.ts'

export type Wish = 'pause' | 'resume'
export type Verdict = 'granted' | 'pending' | Problem

/** What has become of a command, now that `trigger` brought the call to this state. Pure. */
export function settle (wish: Wish, call: Call, trigger: string): Verdict {
  const { phase, reasons } = call.recording
  if (phase.status === 'ending' || phase.status === 'ended') return problem(call.endedAtMs === null ? 'recording-ended' : 'call-ended')
  return wish === 'pause' ? settlePause(phase.status) : settleResume(phase.status, reasons, trigger)
}

const unconfirmed = () => problem('pause-unconfirmed', undefined, { retryAfterSeconds: 1 })

type Live = Exclude<Call['recording']['phase']['status'], 'ending' | 'ended'>

function settlePause (status: Live): Verdict {
  switch (status) {
    case 'off': case 'paused': return 'granted'
    case 'unconfirmed': return unconfirmed()
    case 'starting': case 'recording': case 'pausing': case 'resuming': return 'pending'
  }
}

function settleResume (status: Live, reasons: string[], trigger: string): Verdict {
  switch (status) {
    case 'recording': return 'granted'
    case 'starting': case 'resuming': return 'pending'
    case 'pausing':
      // A lost recorder whose remains are being stopped: it records on after that, unless somebody wants silence.
      if (reasons.length === 0) return 'pending'
      return trigger === 'observed' || trigger === 'recorder-lost' ? problem('recorder-failed', 'The recording stays paused.') : problem('superseded-by-pause')
    case 'unconfirmed': return unconfirmed()
    case 'off': case 'paused':
      if (trigger === 'asked' && reasons.length > 0) return problem('still-paused', undefined, { reasons })
      if (trigger === 'not-stored') return problem('storage-unavailable', 'The recording stays paused.', { retryAfterSeconds: 2 })
      if (trigger === 'recorder-stopped' || trigger === 'silence') return problem('superseded-by-pause')
      return problem('recorder-failed', 'The recording stays paused.')
  }
}
