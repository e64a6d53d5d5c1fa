import type { Cause, GapReason, Recording } from './recording.ts'

/** Opens a gap, or widens the one that is open. */
export function withGap (recording: Recording, startedAtMs: number, reasons: readonly GapReason[], cause: Cause): Recording {
  const last = recording.gaps.at(-1)
  if (last && last.endedAtMs === null) {
    return reasons.reduce((widened, reason) => widenGap(widened, reason, cause), recording)
  }
  return { ...recording, gaps: [...recording.gaps, { startedAtMs, endedAtMs: null, reasons: [...reasons], by: [cause.by] }] }
}

export function widenGap (recording: Recording, reason: GapReason, cause: Cause): Recording {
  const last = recording.gaps.at(-1)
  if (!last || last.endedAtMs !== null || last.reasons.includes(reason)) return recording
  return { ...recording, gaps: [...recording.gaps.slice(0, -1), { ...last, reasons: [...last.reasons, reason], by: [...last.by, cause.by] }] }
}

export function closeGap (recording: Recording, atMs: number): Recording {
  const last = recording.gaps.at(-1)
  if (!last || last.endedAtMs !== null) return recording
  return { ...recording, gaps: [...recording.gaps.slice(0, -1), { ...last, endedAtMs: atMs }] }
}
