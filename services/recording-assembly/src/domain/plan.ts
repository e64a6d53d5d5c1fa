import type { Manifest, Segment, TrackFile } from '@tacet/contracts'

/** One segment and the file that holds it. Stereo will have two files for each. */
export interface PlannedSegment {
  segment: Segment
  file: TrackFile
  /** The name says that it was recorded from another call: it is neither read nor deleted. */
  isForeign: boolean
}

export type Plan =
  | { kind: 'mono', segments: PlannedSegment[] }
  | { kind: 'unsupported', detail: string }

/** What to fetch for a call, in the order of the recording. */
export function planAssembly (manifest: Manifest): Plan {
  const segments = manifest.segments.toSorted((a, b) => a.number - b.number)
  const repeated = segments.find((segment, index) => segments[index - 1]?.number === segment.number)
  if (repeated !== undefined) return { kind: 'unsupported', detail: `segment ${repeated.number} comes twice` }

  const planned: PlannedSegment[] = []
  for (const segment of segments) {
    for (const file of segment.tracks) {
      if (file.track !== 'mix' || segment.tracks.length > 1) return { kind: 'unsupported', detail: `segment ${segment.number} has separate tracks` }
      planned.push({ segment, file, isForeign: !isOfCall(manifest, segment, file) })
    }
  }
  return { kind: 'mono', segments: planned }
}

function isOfCall ({ callId, aliases }: Manifest, { number }: Segment, file: TrackFile): boolean {
  const suffix = file.track === 'mix' ? '' : `-${file.track}`
  return [callId, ...aliases].some(id => file.name.toLowerCase() === `tacet/tacet-${id}-${number}${suffix}`.toLowerCase())
}
