import { isDueAgain, isMissing } from '../domain/late-start.ts'
import { overdue } from '../domain/longest-pause.ts'
import { auditMessage } from './audit-attempt.ts'
import type { CallSession } from './call-session.ts'

export interface TimeOptions {
  clock: () => number
  newId: () => string
  onError: (error: unknown) => void
}

/**
 * Tells every call how late it is: what was paused for too long is reminded of, or resumed, as the company wants; a recorder
 * that should be there is missed, and tried again.
 */
export function passTime (sessions: CallSession[], { clock, newId, onError }: TimeOptions): void {
  for (const session of sessions) {
    const atMs = clock()
    const due = overdue(session.call, atMs)
    if (!due && !isMissing(session.call, atMs) && !isDueAgain(session.call, atMs)) continue
    const commandId = newId()
    session.dispatch({ type: 'time-passed', atMs, commandId })
    if (due?.then !== 'resume') continue
    const attempt = {
      action: 'resume' as const,
      cause: { commandId, by: { kind: 'machine' as const, agentId: null, credentialId: null } },
      askedBy: 'machine',
      requestedAtMs: atMs,
      address: null,
      detail: { device: 'longest-pause', longestPauseMs: due.longestPauseMs, pausedSince: new Date(due.longPause.sinceMs).toISOString() },
    }
    // What became of it is in the audit log; the next turn tries again.
    session.fulfil('resume', outcome => ({ messages: [auditMessage({ clock, newId }, session.call, attempt, outcome)], answers: [] })).catch(onError)
  }
}
