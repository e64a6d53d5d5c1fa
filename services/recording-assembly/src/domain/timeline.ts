import type { Manifest, Timeline } from '@tacet/contracts'
import type { Verdict } from './outcome.ts'
import type { JudgedSegment } from './segment.ts'

/** The WAV file as it was written. */
export interface WrittenAudio { samples: number, bytes: number, sha256: string }

/** Where every stretch of the recording was in the call. `segments` in the order of the recording; `audio` null: there is no file. */
export function buildTimeline (manifest: Manifest, verdict: Verdict, segments: readonly JudgedSegment[], audio: WrittenAudio | null): Timeline {
  const { sampleRateHz } = manifest
  const toMs = (samples: number): number => samples / sampleRateHz * 1000
  const placed = place(segments)
  const samples = placed.reduce((sum, { segment }) => sum + segment.samples, 0)
  if (samples !== (audio?.samples ?? 0)) throw new Error(`the segments have ${samples} samples, the file ${audio?.samples ?? 0}`)

  return {
    schemaVersion: 1,
    recordingId: manifest.recordingId,
    callId: manifest.callId,
    companyId: manifest.companyId,
    outcome: verdict.outcome,
    reasons: verdict.reasons,
    direction: manifest.direction,
    number: manifest.number,
    customer: manifest.customer,
    agents: manifest.agents,
    startedAt: manifest.startedAt,
    answeredAt: manifest.answeredAt,
    endedAt: manifest.endedAt,
    endReason: manifest.endReason,
    sampleRateHz,
    channels: 1,
    samples,
    durationMs: toMs(samples),
    bytes: audio?.bytes ?? 0,
    sha256: audio?.sha256 ?? null,
    segments: placed.map(({ segment: { segment, samples, notes }, offsetSamples }) => ({
      number: segment.number,
      startedAt: segment.openedAt,
      endedAt: segment.closedAt,
      offsetSamples,
      samples,
      offsetMs: toMs(offsetSamples),
      durationMs: toMs(samples),
      closedBy: segment.closedBy,
      notes,
    })),
    gaps: manifest.gaps.map(gap => ({
      ...gap,
      atSample: samplesBefore(placed, gap.startedAt),
      durationMs: Math.max(0, Date.parse(gap.endedAt) - Date.parse(gap.startedAt)),
    })),
  }
}

interface Placed { segment: JudgedSegment, offsetSamples: number }

function place (segments: readonly JudgedSegment[]): Placed[] {
  let offsetSamples = 0
  return segments.map(segment => {
    const placed = { segment, offsetSamples }
    offsetSamples += segment.samples
    return placed
  })
}

/** A gap begins where the last segment that was asked for before it ends. */
function samplesBefore (placed: Placed[], instant: string): number {
  const before = placed.findLast(({ segment: { segment } }) => Date.parse(segment.requestedAt) < Date.parse(instant))
  return before === undefined ? 0 : before.offsetSamples + before.segment.samples
}
