import { layOut, segmentSamples, type Layout, type StitchSegment, type StitchTrack } from '@tacet/audio'
import type { Manifest, Segment, TrackFile } from '@tacet/contracts'
import type { JudgedSegment, JudgedTrack } from './segment.ts'

/** How the recording is put together: what to stitch, and where each sample will be. */
export interface Arrangement {
  channels: 1 | 2
  /** null: nothing to hear. */
  segments: (StitchSegment | null)[]
  layout: Layout
}

export function arrange (manifest: Manifest, channels: 1 | 2, judged: readonly JudgedSegment[]): Arrangement {
  const { sampleRateHz, settings, gaps } = manifest
  const segments = judged.map(segment => stitchable(segment, channels, sampleRateHz))
  const layout = layOut({
    sampleRateHz,
    mode: settings.gaps,
    segments: judged.map(({ segment, tracks }, index) => ({
      samples: segments[index] ? segmentSamples(segments[index]) : 0,
      requestedAtMs: Date.parse(segment.requestedAt),
      startedAtMs: beginOf(segment, tracks.map(({ file }) => file)),
    })),
    gaps: gaps.map(({ startedAt, endedAt }) => ({ startedAtMs: Date.parse(startedAt), endedAtMs: Date.parse(endedAt) })),
  })
  return { channels, segments, layout }
}

const startOf = ({ startedAt }: TrackFile, { openedAt }: Segment): number => Date.parse(startedAt ?? openedAt)
const beginOf = (segment: Segment, files: TrackFile[]): number => Math.min(...files.map(file => startOf(file, segment)))

/** How much later than the other a track began. */
export function leadSamplesOf ({ segment, tracks }: JudgedSegment, { file }: JudgedTrack, sampleRateHz: number): number {
  return Math.round((startOf(file, segment) - beginOf(segment, tracks.map(({ file }) => file))) * sampleRateHz / 1000)
}

function stitchable (segment: JudgedSegment, channels: 1 | 2, sampleRateHz: number): StitchSegment | null {
  const tracks = segment.tracks.flatMap((track): (StitchTrack | null)[] => track.audio === null ? [null] : [{ ...track.audio, leadSamples: leadSamplesOf(segment, track, sampleRateHz) }])
  const [first, second] = tracks
  const heard = first ?? second
  if (heard === undefined || heard === null) return null
  if (channels === 1) return { tracks: [heard] }
  // A mix among separate sides is heard on both; a side that left nothing is silent.
  const silent = { ...heard, samples: 0, leadSamples: 0 }
  return segment.tracks.length === 1 ? { tracks: [heard, heard] } : { tracks: [first ?? silent, second ?? silent] }
}
