import type { Manifest, Outcome } from '@tacet/contracts'
import { reasonsOf, type JudgedSegment, type Reason } from './segment.ts'

/** Shorter than this, both sides may well have been silent. */
const SURELY_HEARD_MS = 1_000

export interface Verdict { outcome: Exclude<Outcome, 'failed'>, reasons: Reason[] }

/**
 * Audio that should be there and is not makes a recording incomplete, also when nothing at all is left of it. One that is whole but
 * shorter than the company wants is empty: nothing of it is kept (docs/adr/0007). `isHeard`: a sample of it is not zero.
 */
export function judgeRecording (manifest: Manifest, segments: readonly JudgedSegment[], isHeard = true): Verdict {
  const faults = manifest.faults.map(code => ({ code, detail: 'noted during the call' }))
  const lost = manifest.gaps.filter(gap => gap.reasons.includes('lost')).map(lossOf)
  const reasons = [...faults, ...lost, ...segments.flatMap(reasonsOf)]
  if (reasons.length > 0) return { outcome: 'incomplete', reasons }
  const recordedMs = recordedMsOf(segments, manifest.sampleRateHz)
  const { minimumLengthMs } = manifest.settings
  if (recordedMs > 0 && recordedMs < minimumLengthMs) {
    return { outcome: 'empty', reasons: [{ code: 'below-minimum-length', detail: `${Math.round(recordedMs)} ms were recorded, less than ${minimumLengthMs} ms` }] }
  }
  // Asterisk passes on what it cannot decode, and tells no recorder.
  if (!isHeard && recordedMs >= SURELY_HEARD_MS) {
    return { outcome: 'incomplete', reasons: [{ code: 'nothing-heard', detail: `${Math.round(recordedMs)} ms were recorded without a sound, not even noise: Asterisk has no decoder for the codec of the call, or no phone sent anything` }] }
  }
  return { outcome: recordedMs > 0 ? 'complete' : 'empty', reasons }
}

/** Without what stands for gaps. */
function recordedMsOf (segments: readonly JudgedSegment[], sampleRateHz: number): number {
  return segments.reduce((sum, { tracks }) => sum + Math.max(...tracks.map(({ samples }) => samples)), 0) * 1000 / sampleRateHz
}

/** What goes into the recording: of an empty one nothing, whatever was recorded. */
export const keptOf = ({ outcome, reasons }: Verdict, segments: JudgedSegment[]): JudgedSegment[] => outcome !== 'empty'
  ? segments
  : segments.map(({ segment, tracks }) => ({ segment, tracks: tracks.map(track => ({ ...track, audio: null, samples: 0, notes: [...track.notes, ...reasons.map(({ code }) => code)] })) }))

const lossOf = ({ startedAt, endedAt }: Manifest['gaps'][number]): Reason =>
  ({ code: 'audio-lost', detail: `nothing was recorded from ${startedAt} to ${endedAt}, though it should have been` })
