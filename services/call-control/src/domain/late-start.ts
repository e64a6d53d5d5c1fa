import type { Call } from './call.ts'
import { isGivenUp, maxStartAttempts } from './recording.ts'

/** A start by the rules that is not there yet: since when, and whether somebody was told. */
export interface LateStart { sinceMs: number, isTold: boolean }

/** Two seconds after the answer a call without its recorder has raised an alarm: this leaves room for whoever looks at the clock. */
export const tellAfterMs = 1_000

/** Runs through all attempts to start or resume. Whoever asked for one is answered when it fails; the rules ask nobody. */
export function lateStartOf ({ recording: { phase }, lateStart }: Call, atMs: number): LateStart | null {
  if ((phase.status !== 'starting' && phase.status !== 'resuming') || phase.cause.commandId !== null) return null
  return lateStart ?? { sinceMs: atMs, isTold: false }
}

export const isMissing = ({ lateStart }: Call, atMs: number): boolean =>
  lateStart !== undefined && lateStart !== null && !lateStart.isTold && atMs - lateStart.sinceMs >= tellAfterMs

const againAfterMs = 10_000
const againAtLeastEveryMs = 5 * 60_000

/** A start that was given up is tried again, after longer and longer: each attempt costs a segment's number and an alarm. */
export function isDueAgain ({ recording }: Call, atMs: number): boolean {
  const failures = recording.segments.filter(({ isUncertain }) => isUncertain).length
  const waitMs = Math.min(againAtLeastEveryMs, againAfterMs * 2 ** Math.max(0, failures - maxStartAttempts))
  return isGivenUp(recording) && atMs - recording.effectiveAtMs >= waitMs
}
