import type { Manifest, Outcome, TrackName } from '@tacet/contracts'
import { reasonsOf, type JudgedSegment, type Reason } from './segment.ts'

/** Shorter than this, both sides may well have been silent. */
const SURELY_HEARD_MS = 1_000
/** Of one side: so long may somebody say nothing whose phone sends nothing then. */
const SIDE_SURELY_HEARD_MS = 10_000
const sideNames: Record<TrackName, string> = { mix: 'the call', in: 'the left side, of customer or caller', out: 'the right side, of agent or called' }

export interface Verdict { outcome: Exclude<Outcome, 'failed'>, reasons: Reason[] }

/**
 * Audio that should be there and is not makes a recording incomplete, also when nothing at all is left of it. One that is whole but
 * shorter than the company wants is empty: nothing of it is kept (docs/adr/0007). `unheard`: the sides of which every sample is zero.
 */
export function judgeRecording (manifest: Manifest, segments: readonly JudgedSegment[], unheard: readonly TrackName[] = []): Verdict {
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
  const sides = [...new Set(segments.flatMap(({ tracks }) => tracks).filter(({ samples }) => samples > 0).map(({ file }) => file.track))]
  if (sides.length > 0 && sides.every(side => unheard.includes(side))) {
    const nothing = { code: 'nothing-heard', detail: `${Math.round(recordedMs)} ms were recorded ${why}` }
    return recordedMs < SURELY_HEARD_MS ? { outcome: 'complete', reasons } : { outcome: 'incomplete', reasons: [nothing] }
  }
  const silent = sides.map(side => ({ side, ms: recordedMsOf(segments, manifest.sampleRateHz, side) })).filter(({ side, ms }) => unheard.includes(side) && ms >= SIDE_SURELY_HEARD_MS)
  if (silent.length > 0) return { outcome: 'incomplete', reasons: silent.map(({ side, ms }) => ({ code: 'side-not-heard', detail: `${sideNames[side]}: ${Math.round(ms)} ms were recorded ${why}` })) }
  return { outcome: recordedMs > 0 ? 'complete' : 'empty', reasons }
}

const why = 'without a sound, not even noise: Asterisk has no decoder for the codec, or nothing was sent'

/** Without what stands for gaps; of all sides or of one. */
function recordedMsOf (segments: readonly JudgedSegment[], sampleRateHz: number, side?: TrackName): number {
  const ofSide = ({ tracks }: JudgedSegment) => tracks.filter(({ file }) => side === undefined || file.track === side)
  return segments.reduce((sum, segment) => sum + Math.max(0, ...ofSide(segment).map(({ samples }) => samples)), 0) * 1000 / sampleRateHz
}

/** What goes into the recording: of an empty one nothing, whatever was recorded. */
export const keptOf = ({ outcome, reasons }: Verdict, segments: JudgedSegment[]): JudgedSegment[] => outcome !== 'empty'
  ? segments
  : segments.map(({ segment, tracks }) => ({ segment, tracks: tracks.map(track => ({ ...track, audio: null, samples: 0, notes: [...track.notes, ...reasons.map(({ code }) => code)] })) }))

const lossOf = ({ startedAt, endedAt }: Manifest['gaps'][number]): Reason =>
  ({ code: 'audio-lost', detail: `nothing was recorded from ${startedAt} to ${endedAt}, though it should have been` })
