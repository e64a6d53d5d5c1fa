import { fadeSamples, TONE_MS } from './shape.ts'

/** What becomes of the time between two segments: nothing, silence as long as it (the call's time is kept), or a short tone. */
export type GapMode = 'remove' | 'silence' | 'tone'

export type LayoutInput = {
  sampleRateHz: number
  mode: GapMode
  /** In the order of the recording. */
  segments: { samples: number, requestedAtMs: number, startedAtMs: number }[]
  gaps: { startedAtMs: number, endedAtMs: number }[]
}

/** Counts and offsets in samples per channel. */
export type PlacedSegment = { offsetSamples: number, samples: number, fadeInSamples: number, fadeOutSamples: number }
export type Fill = { kind: 'silence' | 'tone', offsetSamples: number, samples: number }
export type PlacedGap = { atSample: number, samples: number }

/** Where everything is in the recording: segments and fills are all of it, without a hole and without overlap. */
export type Layout = {
  mode: GapMode
  samples: number
  /** When the first sample was in the call; null where the recording does not keep the call's time. */
  originMs: number | null
  /** As in the input; those without samples have a place too. */
  segments: PlacedSegment[]
  fills: Fill[]
  /** As in the input. What they have in the recording: nothing, all or a part of a fill; gaps at one join share its tone. */
  gaps: PlacedGap[]
}

type Gap = LayoutInput['gaps'][number]

/** Places every sample. Without any audio there is no recording, however long the gaps. */
export function layOut (input: LayoutInput): Layout {
  const { mode, segments, gaps, sampleRateHz } = input
  const audible = segments.map((segment, index) => ({ ...segment, index })).filter(({ samples }) => samples > 0)
  const joinOf = (instantMs: number): number => audible.filter(({ requestedAtMs }) => requestedAtMs < instantMs).length
  if (audible.length === 0) {
    const nothing = { offsetSamples: 0, samples: 0, fadeInSamples: 0, fadeOutSamples: 0 }
    return { mode, samples: 0, originMs: null, segments: segments.map(() => nothing), fills: [], gaps: gaps.map(() => ({ atSample: 0, samples: 0 })) }
  }

  const gapsAt = Map.groupBy(gaps, gap => joinOf(gap.startedAtMs))
  const originMs = Math.min(...segments.map(({ startedAtMs }) => startedAtMs), ...gaps.map(({ startedAtMs }) => startedAtMs))
  const positionOf = (instantMs: number): number => Math.round((instantMs - originMs) * sampleRateHz / 1000)

  /** How much is filled at a join, which audio has reached by then. */
  function fillSamples (join: number, reached: number): number {
    switch (mode) {
      case 'remove': return 0
      case 'tone': return gapsAt.has(join) ? toneSamples(sampleRateHz) : 0
      case 'silence': {
        const next = audible[join]
        const until = next === undefined ? Math.max(0, ...gaps.map(({ endedAtMs }) => positionOf(endedAtMs))) : positionOf(next.startedAtMs)
        return Math.max(0, until - reached)
      }
    }
  }

  const fills: (Fill & { join: number })[] = []
  const placed = new Map<number, PlacedSegment>()
  let reached = 0
  for (const join of [...audible.keys(), audible.length]) {
    const samples = fillSamples(join, reached)
    if (samples > 0 && mode !== 'remove') fills.push({ join, kind: mode, offsetSamples: reached, samples })
    reached += samples
    const segment = audible[join]
    if (segment === undefined) continue
    placed.set(segment.index, { offsetSamples: reached, samples: segment.samples, ...noFades })
    reached += segment.samples
  }
  fade([...placed.values()], reached, sampleRateHz)

  const placeOf = (join: number): Fill => fills.find(fill => fill.join === join) ?? { kind: 'silence', offsetSamples: endOf(placed.get(audible[join - 1]?.index ?? -1)), samples: 0 }
  return {
    mode,
    samples: reached,
    originMs: mode === 'silence' ? originMs : null,
    segments: segments.map((segment, index) => placed.get(index) ?? { offsetSamples: placeOf(joinOf(segment.requestedAtMs)).offsetSamples, samples: 0, ...noFades }),
    fills: fills.map(({ join: _, ...fill }) => fill),
    gaps: gaps.map(gap => {
      const join = joinOf(gap.startedAtMs)
      return placeGap(gap, placeOf(join), gapsAt.get(join) ?? [], positionOf)
    }),
  }
}

const noFades = { fadeInSamples: 0, fadeOutSamples: 0 }
const endOf = (segment: PlacedSegment | undefined): number => segment === undefined ? 0 : segment.offsetSamples + segment.samples

export const toneSamples = (sampleRateHz: number): number => Math.round(TONE_MS * sampleRateHz / 1000)

/** Wherever audio begins or ends within the recording; its own two ends are left as they are. */
function fade (segments: PlacedSegment[], total: number, sampleRateHz: number): void {
  for (const segment of segments) {
    const most = fadeSamples(segment.samples, sampleRateHz)
    if (segment.offsetSamples > 0) segment.fadeInSamples = most
    if (endOf(segment) < total) segment.fadeOutSamples = most
  }
}

/** Gaps at one join share its silence by their times: together they are all of it. */
function placeGap (gap: Gap, { kind, offsetSamples, samples }: Fill, atJoin: Gap[], positionOf: (instantMs: number) => number): PlacedGap {
  if (kind === 'tone' || samples === 0) return { atSample: offsetSamples, samples }
  const inside = (instantMs: number): number => Math.min(offsetSamples + samples, Math.max(offsetSamples, positionOf(instantMs)))
  const sorted = atJoin.toSorted((a, b) => a.startedAtMs - b.startedAtMs)
  const index = sorted.indexOf(gap)
  const from = index === 0 ? offsetSamples : inside(gap.startedAtMs)
  const to = index === sorted.length - 1 ? offsetSamples + samples : inside(sorted[index + 1]!.startedAtMs)
  return { atSample: from, samples: to - from }
}
