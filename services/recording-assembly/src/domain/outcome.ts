import type { Manifest, Outcome } from '@tacet/contracts'
import { reasonsOf, type JudgedSegment, type Reason } from './segment.ts'

export interface Verdict { outcome: Exclude<Outcome, 'failed'>, reasons: Reason[] }

/** Audio that should be there and is not makes a recording incomplete, also when nothing at all is left of it. */
export function judgeRecording (manifest: Manifest, segments: readonly JudgedSegment[]): Verdict {
  const faults = manifest.faults.map(code => ({ code, detail: 'noted during the call' }))
  const lost = manifest.gaps.filter(gap => gap.reasons.includes('lost')).map(lossOf)
  const reasons = [...faults, ...lost, ...segments.flatMap(reasonsOf)]
  if (reasons.length > 0) return { outcome: 'incomplete', reasons }
  return { outcome: segments.some(({ tracks }) => tracks.some(({ audio }) => audio !== null)) ? 'complete' : 'empty', reasons }
}

const lossOf = ({ startedAt, endedAt }: Manifest['gaps'][number]): Reason =>
  ({ code: 'audio-lost', detail: `nothing was recorded from ${startedAt} to ${endedAt}, though it should have been` })
