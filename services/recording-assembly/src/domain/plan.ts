import type { Manifest, SampleRateHz, Segment, TrackFile } from '@tacet/contracts'

export interface PlannedTrack {
  file: TrackFile
  /** The name says that it was recorded from another call: it is neither read nor deleted. */
  isForeign: boolean
}

/** One segment and its files: one mix, or one for each side of the call. */
export interface PlannedSegment { segment: Segment, tracks: PlannedTrack[] }

export type Plan =
  | { kind: 'assembly', channels: 1 | 2, sampleRateHz: SampleRateHz, segments: PlannedSegment[] }
  | { kind: 'unsupported', detail: string }

const combinations: Record<string, 1 | 2> = { mix: 1, 'in,out': 2 }
const sides = ['mix', 'in', 'out']

/** What to fetch for a call, in the order of the recording; of the two sides, `in` comes first. */
export function planAssembly (manifest: Manifest): Plan {
  const segments = manifest.segments.toSorted((a, b) => a.number - b.number)
  const repeated = segments.find((segment, index) => segments[index - 1]?.number === segment.number)
  if (repeated !== undefined) return { kind: 'unsupported', detail: `segment ${repeated.number} comes twice` }

  const planned = segments.map((segment): PlannedSegment => ({
    segment,
    tracks: segment.tracks.toSorted((a, b) => sides.indexOf(a.track) - sides.indexOf(b.track)).map(file => ({ file, isForeign: !isOfCall([manifest.callId, ...manifest.aliases], segment, file) })),
  }))
  let channels: 1 | 2 = 1
  for (const { segment, tracks } of planned) {
    const names = tracks.map(({ file }) => file.track).join()
    const count = combinations[names]
    if (count === undefined) return { kind: 'unsupported', detail: `segment ${segment.number} has the tracks ${names}` }
    if (count === 2) channels = 2
  }
  return { kind: 'assembly', channels, sampleRateHz: manifest.sampleRateHz, segments: planned }
}

/** By its name, which the dialplan makes of the recorder's id. */
export function isOfCall (callIds: readonly string[], { number }: Segment, file: TrackFile): boolean {
  const suffix = file.track === 'mix' ? '' : `-${file.track}`
  return callIds.some(id => file.name.toLowerCase() === `tacet/tacet-${id}-${number}${suffix}`.toLowerCase())
}
