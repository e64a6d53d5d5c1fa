import type { Manifest, Outcome } from '@tacet/contracts'
import { reasonsOf, type JudgedSegment, type Reason } from './segment.ts'

export interface Verdict { outcome: Exclude<Outcome, 'failed'>, reasons: Reason[] }

/** Audio that should be there and is not makes a recording incomplete, also when nothing at all is left of it. */
export function judgeRecording (manifest: Manifest, segments: readonly JudgedSegment[]): Verdict {
  const faults = manifest.faults.map(code => ({ code, detail: 'noted during the call' }))
  const reasons = [...faults, ...segments.flatMap(reasonsOf)]
  if (reasons.length > 0) return { outcome: 'incomplete', reasons }
  return { outcome: segments.some(({ tracks }) => tracks.some(({ audio }) => audio !== null)) ? 'complete' : 'empty', reasons }
}
