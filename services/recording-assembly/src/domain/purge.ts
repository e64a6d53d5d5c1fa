import { fadeSamples, toneSamples, type Layout } from '@tacet/audio'
import type { Timeline } from '@tacet/contracts'
import type { PurgeOrder } from './recording.ts'

/** Samples per channel, `to` not included. */
export interface SampleRange { from: number, to: number }

/** What somebody wants to have cut out: a segment, a stretch as it is heard, or a stretch of the call. */
export type PurgeWish =
  | { segment: number }
  | { fromMs: number, toMs: number }
  | { from: string, to: string }

type Segment = Timeline['segments'][number]

const endOf = ({ offsetSamples, samples }: { offsetSamples: number, samples: number }): number => offsetSamples + samples
const toMs = (timeline: Timeline, samples: number): number => samples / timeline.sampleRateHz * 1000

/** The stretches of the recording that hold what is to go, and the segments it was recorded in. Nothing: there is nothing of it. */
export function findPurge (timeline: Timeline, wish: PurgeWish): { ranges: SampleRange[], segments: number[] } {
  const ranges = merged(rangesOf(timeline, wish).map(({ from, to }) => ({ from: Math.max(0, from), to: Math.min(timeline.samples, to) })).filter(({ from, to }) => from < to))
  const touched = timeline.segments.filter(segment => ranges.some(({ from, to }) => segment.offsetSamples < to && endOf(segment) > from)).map(({ number }) => number)
  return { ranges, segments: [...new Set([...touched, ...unfit(timeline, wish)])] }
}

/** A segment of which nothing was fit for the recording has a file all the same. */
function unfit ({ segments }: Timeline, wish: PurgeWish): number[] {
  const isMeant = ({ number, startedAt, endedAt }: Segment): boolean => {
    if ('segment' in wish) return number === wish.segment
    return 'from' in wish && Date.parse(startedAt) < Date.parse(wish.to) && Date.parse(endedAt) > Date.parse(wish.from)
  }
  return segments.filter(segment => segment.samples === 0 && !segment.notes.includes('purged') && isMeant(segment)).map(({ number }) => number)
}

function rangesOf (timeline: Timeline, wish: PurgeWish): SampleRange[] {
  const { sampleRateHz, segments } = timeline
  if ('segment' in wish) return segments.filter(({ number }) => number === wish.segment).map(segment => ({ from: segment.offsetSamples, to: endOf(segment) }))
  if ('fromMs' in wish) return [{ from: Math.floor(wish.fromMs * sampleRateHz / 1000), to: Math.ceil(wish.toMs * sampleRateHz / 1000) }]
  const [fromMs, toMs] = [Date.parse(wish.from), Date.parse(wish.to)]
  return segments.map(segment => {
    const at = (instantMs: number): number => segment.offsetSamples + (instantMs - Date.parse(segment.startedAt)) * sampleRateHz / 1000
    return { from: Math.max(segment.offsetSamples, Math.floor(at(fromMs))), to: Math.min(endOf(segment), Math.ceil(at(toMs))) }
  }).filter(({ from, to }) => from < to)
}

function merged (ranges: SampleRange[]): SampleRange[] {
  const result: SampleRange[] = []
  for (const range of ranges.toSorted((a, b) => a.from - b.from)) {
    const last = result.at(-1)
    if (last !== undefined && range.from <= last.to) last.to = Math.max(last.to, range.to)
    else result.push({ ...range })
  }
  return result
}

export interface Cut {
  /** What stays, in samples of the old recording. */
  kept: SampleRange[]
  /** Where each of those will be, and what stands for what is gone. */
  layout: Layout
  /** Where a sample of the old recording is in the new one; what is gone is where what stands for it begins. */
  positionOf: (sample: number) => number
  replacements: { range: SampleRange, offsetSamples: number, samples: number }[]
}

/** How the new version is made of the old one. What is gone becomes what the recording's gaps are: nothing, silence or a tone. */
export function planCut (timeline: Timeline, ranges: readonly SampleRange[]): Cut {
  const { gapMode, sampleRateHz, originAt } = timeline
  const lengthOf = ({ from, to }: SampleRange): number => gapMode === 'silence' ? to - from : gapMode === 'tone' ? toneSamples(sampleRateHz) : 0
  const kept: SampleRange[] = []
  const placed: Layout['segments'] = []
  const replacements: Cut['replacements'] = []
  let reached = 0

  function keep (from: number, to: number): void {
    if (from >= to) return
    kept.push({ from, to })
    placed.push({ offsetSamples: reached, samples: to - from, fadeInSamples: 0, fadeOutSamples: 0 })
    reached += to - from
  }
  let done = 0
  for (const range of ranges) {
    keep(done, range.from)
    replacements.push({ range, offsetSamples: reached, samples: lengthOf(range) })
    reached += lengthOf(range)
    done = range.to
  }
  keep(done, timeline.samples)
  if (!kept.some(range => isHeard(timeline, range))) return nothingOf(timeline, ranges)

  // Only at the new edges, within what was cut: where a segment or a tone began or ended, it has its fade, and with a second one it would be softer than the timeline says.
  const cutAt = (sample: number) => [...timeline.segments, ...timeline.fills].find(stretch => stretch.offsetSamples < sample && sample < endOf(stretch))
  for (const [index, { from, to }] of kept.entries()) {
    const place = placed[index]!
    const [first, last] = [cutAt(from), cutAt(to)]
    if (first !== undefined && place.offsetSamples > 0) place.fadeInSamples = fadeSamples(Math.min(to, endOf(first)) - from, sampleRateHz)
    if (last !== undefined && endOf(place) < reached) place.fadeOutSamples = fadeSamples(to - Math.max(from, last.offsetSamples), sampleRateHz)
  }

  function positionOf (sample: number): number {
    const index = kept.findIndex(({ from, to }) => sample >= from && sample < to)
    if (index >= 0) return placed[index]!.offsetSamples + sample - kept[index]!.from
    const replacement = replacements.find(({ range }) => sample >= range.from && sample < range.to)
    if (replacement === undefined) return reached
    return replacement.offsetSamples + (gapMode === 'silence' ? sample - replacement.range.from : 0)
  }

  const fills = gapMode === 'remove' ? [] : replacements.map(({ offsetSamples, samples }) => ({ kind: gapMode, offsetSamples, samples }))
  return { kept, positionOf, replacements, layout: { mode: gapMode, samples: reached, originMs: originAt === null ? null : Date.parse(originAt), segments: placed, fills, gaps: [] } }
}

const isHeard = ({ segments }: Timeline, { from, to }: SampleRange): boolean => segments.some(segment => segment.samples > 0 && segment.offsetSamples < to && endOf(segment) > from)

/** Of gaps alone no recording is made. */
function nothingOf ({ gapMode }: Timeline, ranges: readonly SampleRange[]): Cut {
  return {
    kept: [],
    positionOf: () => 0,
    replacements: ranges.map(range => ({ range, offsetSamples: 0, samples: 0 })),
    layout: { mode: gapMode, samples: 0, originMs: null, segments: [], fills: [], gaps: [] },
  }
}

/** The timeline of the new version. `audio` null: nothing is left to hear. */
export function cutTimeline (old: Timeline, cut: Cut, order: Pick<PurgeOrder, 'purgeId' | 'at' | 'credentialId' | 'agentId' | 'segments'>, audio: { bytes: number, sha256: string } | null): Timeline {
  const { kept, layout, positionOf, replacements } = cut
  const inMs = (placed: { offsetSamples: number, samples: number }) => ({ ...placed, offsetMs: toMs(old, placed.offsetSamples), durationMs: toMs(old, placed.samples) })
  const partsOf = (placed: { offsetSamples: number, samples: number }): SampleRange[] =>
    kept.map(({ from, to }) => ({ from: Math.max(from, placed.offsetSamples), to: Math.min(to, endOf(placed)) })).filter(({ from, to }) => from < to)
  const { samples } = layout

  return {
    ...old,
    version: old.version + 1,
    purges: [...old.purges, { purgeId: order.purgeId, at: order.at, by: { credentialId: order.credentialId, agentId: order.agentId }, samples: replacements.reduce((sum, { range }) => sum + range.to - range.from, 0) }],
    originAt: layout.originMs === null ? null : old.originAt,
    samples,
    durationMs: toMs(old, samples),
    bytes: audio?.bytes ?? 0,
    sha256: audio?.sha256 ?? null,
    segments: old.segments.flatMap(segment => {
      const parts = partsOf(segment)
      const nowhere = inMs({ offsetSamples: positionOf(segment.offsetSamples), samples: 0 })
      if (parts.length === 0) return segment.samples > 0 || order.segments.includes(segment.number) ? [emptied(segment, nowhere)] : [{ ...segment, ...nowhere }]
      return parts.map(part => partOf(old, segment, part, inMs({ offsetSamples: positionOf(part.from), samples: part.to - part.from }), layout))
    }),
    fills: [
      ...old.fills.flatMap(fill => partsOf(fill).map(part => ({ kind: fill.kind, ...inMs({ offsetSamples: positionOf(part.from), samples: part.to - part.from }) }))),
      ...layout.fills.map(({ kind, ...placed }) => ({ kind, ...inMs(placed) })),
    ].sort((a, b) => a.offsetSamples - b.offsetSamples),
    gaps: [
      ...old.gaps.map(gap => ({ ...gap, atSample: positionOf(gap.atSample), samples: positionOf(gap.atSample + gap.samples) - positionOf(gap.atSample) })),
      ...replacements.map(({ range, offsetSamples, samples }) => {
        const [startedAt, endedAt] = [callTimeOf(old, range.from), callTimeOf(old, range.to - 1, 1)]
        return { startedAt, endedAt, reasons: ['purged' as const], by: [], atSample: offsetSamples, samples, durationMs: Math.max(0, Date.parse(endedAt) - Date.parse(startedAt)) }
      }),
    ].sort((a, b) => a.atSample - b.atSample || a.startedAt.localeCompare(b.startedAt)),
  }
}

const noted = ({ notes }: Segment): string[] => [...new Set([...notes, 'purged'])]

const emptied = (segment: Segment, placed: object): Segment => ({ ...segment, ...placed, fadeInSamples: 0, fadeOutSamples: 0, tracks: [], notes: noted(segment) })

function partOf (old: Timeline, segment: Segment, part: SampleRange, placed: object, layout: Layout): Segment {
  const isWhole = part.from === segment.offsetSamples && part.to === endOf(segment)
  const startsHere = part.from === segment.offsetSamples
  const endsHere = part.to === endOf(segment)
  const at = layout.segments.find(({ offsetSamples, samples }) => (placed as { offsetSamples: number }).offsetSamples >= offsetSamples && (placed as { offsetSamples: number }).offsetSamples < offsetSamples + samples)
  return {
    ...segment,
    ...placed,
    startedAt: startsHere ? segment.startedAt : callTimeOf(old, part.from),
    endedAt: endsHere ? segment.endedAt : callTimeOf(old, part.to),
    fadeInSamples: startsHere ? segment.fadeInSamples : at?.fadeInSamples ?? 0,
    fadeOutSamples: endsHere ? segment.fadeOutSamples : at?.fadeOutSamples ?? 0,
    // Where each track lay in the segment is told of whole segments only.
    tracks: isWhole ? segment.tracks : [],
    notes: isWhole ? segment.notes : noted(segment),
  }
}

/** When a sample was in the call, as far as the timeline tells. */
function callTimeOf (timeline: Timeline, sample: number, after = 0): string {
  const segment = timeline.segments.findLast(({ offsetSamples, samples }) => samples > 0 && offsetSamples <= sample)
  const sinceMs = (offset: number): number => (sample + after - offset) / timeline.sampleRateHz * 1000
  if (timeline.originAt !== null) return new Date(Math.round(Date.parse(timeline.originAt) + sinceMs(0))).toISOString()
  if (segment === undefined) return timeline.startedAt
  return new Date(Math.round(Math.min(Date.parse(segment.endedAt), Date.parse(segment.startedAt) + sinceMs(segment.offsetSamples)))).toISOString()
}
