import { trackFades } from '@tacet/audio'
import type { Manifest, Timeline } from '@tacet/contracts'
import { leadSamplesOf, type Arrangement } from './arrangement.ts'
import type { Verdict } from './outcome.ts'
import { notesOf, type JudgedSegment } from './segment.ts'

/** The WAV file as it was written. */
export interface WrittenAudio { samples: number, bytes: number, sha256: string }

/** Where every stretch of the recording was in the call. `segments` in the order of the recording; `audio` null: there is no file. */
export function buildTimeline (manifest: Manifest, verdict: Verdict, segments: readonly JudgedSegment[], { layout, channels, segments: stitched }: Arrangement, audio: WrittenAudio | null): Timeline {
  const { sampleRateHz } = manifest
  const toMs = (samples: number): number => samples * 1000 / sampleRateHz
  const inMs = ({ offsetSamples, samples }: { offsetSamples: number, samples: number }) => ({ offsetSamples, samples, offsetMs: toMs(offsetSamples), durationMs: toMs(samples) })
  const { samples } = layout
  if (samples !== (audio?.samples ?? 0)) throw new Error(`the layout has ${samples} samples, the file ${audio?.samples ?? 0}`)

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
    channels,
    gapMode: layout.mode,
    originAt: layout.originMs === null ? null : new Date(layout.originMs).toISOString(),
    samples,
    durationMs: toMs(samples),
    bytes: audio?.bytes ?? 0,
    sha256: audio?.sha256 ?? null,
    segments: segments.map((judged, index) => {
      const { segment, tracks } = judged
      const { fadeInSamples, fadeOutSamples, ...placed } = layout.segments[index]!
      const sides = channels === 2 && stitched[index] ? trackFades(stitched[index]) : []
      return {
        number: segment.number,
        startedAt: segment.openedAt,
        endedAt: segment.closedAt,
        ...inMs(placed),
        fadeInSamples,
        fadeOutSamples,
        tracks: tracks.length < 2 ? [] : tracks.map((track, side) => ({ track: track.file.track, leadSamples: leadSamplesOf(judged, track, sampleRateHz), fadeInSamples: 0, fadeOutSamples: 0, ...sides[side], samples: track.samples })),
        closedBy: segment.closedBy,
        notes: notesOf(judged),
      }
    }),
    fills: layout.fills.map(({ kind, ...placed }) => ({ kind, ...inMs(placed) })),
    gaps: manifest.gaps.map((gap, index) => ({
      ...gap,
      ...layout.gaps[index]!,
      durationMs: Math.max(0, Date.parse(gap.endedAt) - Date.parse(gap.startedAt)),
    })),
    version: 1,
    purges: [],
  }
}
