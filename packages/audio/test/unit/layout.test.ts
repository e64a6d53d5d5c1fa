import fc from 'fast-check'
import t from 'tap'
import { layOut } from '@tacet/audio'
import type { GapMode, Layout, LayoutInput } from '@tacet/audio'

const rate = 8000
/** Segments one after another with pauses between, before and after them; what is in the file may be shorter or longer than the time it was open. */
const call = fc.record({
  startMs: fc.integer({ min: 0, max: 1_800_000_000_000 }),
  sampleRateHz: fc.constantFrom(8000, 16000),
  segments: fc.array(fc.record({ openMs: fc.nat(60_000), lackingMs: fc.integer({ min: -60, max: 3_000 }), isLost: fc.boolean(), pauseMs: fc.nat(100_000), hasGap: fc.boolean() }), { maxLength: 8 }),
  leadingMs: fc.option(fc.nat(5_000), { nil: null }),
  trailingMs: fc.option(fc.nat(5_000), { nil: null }),
})
const modes: GapMode[] = ['remove', 'silence', 'tone']

function inputOf ({ startMs, sampleRateHz, segments, leadingMs, trailingMs }: typeof call extends fc.Arbitrary<infer T> ? T : never, mode: GapMode): LayoutInput {
  let atMs = startMs
  const gaps: LayoutInput['gaps'] = []
  const pause = (ms: number): void => {
    gaps.push({ startedAtMs: atMs, endedAtMs: atMs + ms })
    atMs += ms
  }
  if (leadingMs !== null) pause(leadingMs)
  const placed = segments.map(({ openMs, lackingMs, isLost, pauseMs, hasGap }, index) => {
    const segment = { samples: isLost ? 0 : Math.max(0, Math.round((openMs - lackingMs) * sampleRateHz / 1000)), requestedAtMs: atMs - 4, startedAtMs: atMs }
    atMs += openMs
    if (index < segments.length - 1) {
      if (hasGap) pause(pauseMs)
      else atMs += pauseMs
    }
    return segment
  })
  if (trailingMs !== null) pause(trailingMs)
  return { mode, sampleRateHz, segments: placed, gaps }
}

function check (name: string, holds: (layout: Layout, input: LayoutInput) => boolean | void, chosen = modes): void {
  t.test(name, async () => {
    await fc.assert(fc.property(call, fc.constantFrom(...chosen), (call, mode) => {
      const input = inputOf(call, mode)
      return holds(layOut(input), input)
    }), { numRuns: 500 })
  })
}

const hasAudio = ({ segments }: LayoutInput) => segments.some(({ samples }) => samples > 0)
const toneSamples = (input: LayoutInput) => input.sampleRateHz / 5

check('every sample is of exactly one segment or fill, in the order of the call', ({ samples, segments, fills }) => {
  const stretches = [...segments.filter(({ samples }) => samples > 0), ...fills].sort((a, b) => a.offsetSamples - b.offsetSamples)
  let reached = 0
  for (const stretch of stretches) {
    if (stretch.offsetSamples !== reached || stretch.samples <= 0) return false
    reached += stretch.samples
  }
  const offsets = segments.map(({ offsetSamples }) => offsetSamples)
  return reached === samples && offsets.every((offset, index) => offset >= (offsets[index - 1] ?? 0) && offset <= samples)
})

check('no sample of a segment is dropped or doubled', ({ segments }, input) => segments.every(({ samples }, index) => samples === input.segments[index]!.samples))

check('removed gaps leave nothing', ({ samples, fills, gaps, originMs }, input) =>
  samples === input.segments.reduce((sum, segment) => sum + segment.samples, 0) && fills.length === 0 && gaps.every(gap => gap.samples === 0) && originMs === null, ['remove'])

check('with silence every segment is at its time in the call, or right after one that took longer', ({ segments, originMs, samples }, input) => {
  if (!hasAudio(input)) return samples === 0
  let reached = 0
  for (const [index, { startedAtMs, samples }] of input.segments.entries()) {
    if (samples === 0) continue
    const due = Math.round((startedAtMs - originMs!) * input.sampleRateHz / 1000)
    if (segments[index]!.offsetSamples !== Math.max(due, reached)) return false
    reached = segments[index]!.offsetSamples + samples
  }
  const lastGap = Math.max(0, ...input.gaps.map(({ endedAtMs }) => Math.round((endedAtMs - originMs!) * input.sampleRateHz / 1000)))
  return samples === Math.max(reached, lastGap)
}, ['silence'])

check('each join with a gap has one tone', (layout, input) => {
  if (!hasAudio(input)) return layout.fills.length === 0
  const joins = new Set(input.gaps.map(gap => input.segments.filter(({ samples, requestedAtMs }) => samples > 0 && requestedAtMs < gap.startedAtMs).length))
  return layout.fills.length === joins.size && layout.fills.every(({ kind, samples }) => kind === 'tone' && samples === toneSamples(input))
}, ['tone'])

check('what a gap has in the recording is part of a fill, never of a segment', ({ gaps, fills, segments, samples: total }) =>
  gaps.every(({ atSample, samples }) => samples === 0
    ? atSample >= 0 && atSample <= total && !segments.some(({ offsetSamples, samples }) => atSample > offsetSamples && atSample < offsetSamples + samples)
    : fills.some(fill => atSample >= fill.offsetSamples && atSample + samples <= fill.offsetSamples + fill.samples)))

check('audio is faded only where it meets something else, and never by more than half a segment', ({ segments, samples: total }, { sampleRateHz }) =>
  segments.every(({ offsetSamples, samples, fadeInSamples, fadeOutSamples }) => {
    const most = Math.min(sampleRateHz / 200, Math.floor(samples / 2))
    return fadeInSamples === (offsetSamples === 0 || samples === 0 ? 0 : most) && fadeOutSamples === (offsetSamples + samples === total || samples === 0 ? 0 : most)
  }))

t.test('an example in each mode', async t => {
  const input = {
    sampleRateHz: rate,
    segments: [{ samples: 7_900, requestedAtMs: 996, startedAtMs: 1_000 }, { samples: 0, requestedAtMs: 2_996, startedAtMs: 3_000 }, { samples: 8_000, requestedAtMs: 3_996, startedAtMs: 4_000 }],
    gaps: [{ startedAtMs: 2_000, endedAtMs: 3_000 }, { startedAtMs: 3_100, endedAtMs: 4_000 }, { startedAtMs: 5_010, endedAtMs: 6_000 }],
  }
  t.match(layOut({ ...input, mode: 'remove' }), { samples: 15_900, fills: [], gaps: [{ atSample: 7_900 }, { atSample: 7_900 }, { atSample: 15_900 }] })
  t.match(layOut({ ...input, mode: 'silence' }), {
    samples: 40_000,
    originMs: 1_000,
    segments: [{ offsetSamples: 0, fadeInSamples: 0, fadeOutSamples: 40 }, { offsetSamples: 7_900 }, { offsetSamples: 24_000, fadeInSamples: 40, fadeOutSamples: 40 }],
    fills: [{ kind: 'silence', offsetSamples: 7_900, samples: 16_100 }, { kind: 'silence', offsetSamples: 32_000, samples: 8_000 }],
    gaps: [{ atSample: 7_900, samples: 8_900 }, { atSample: 16_800, samples: 7_200 }, { atSample: 32_000, samples: 8_000 }],
  })
  t.match(layOut({ ...input, mode: 'tone' }), {
    samples: 15_900 + 2 * 1_600,
    fills: [{ kind: 'tone', offsetSamples: 7_900, samples: 1_600 }, { kind: 'tone', offsetSamples: 17_500, samples: 1_600 }],
    gaps: [{ atSample: 7_900, samples: 1_600 }, { atSample: 7_900, samples: 1_600 }, { atSample: 17_500, samples: 1_600 }],
  })
})

t.test('without any audio there is no recording of silence or tones', async t => {
  for (const mode of modes) {
    t.match(layOut({ mode, sampleRateHz: rate, segments: [{ samples: 0, requestedAtMs: 0, startedAtMs: 4 }], gaps: [{ startedAtMs: 10, endedAtMs: 90_000 }] }), { samples: 0, fills: [], gaps: [{ atSample: 0, samples: 0 }] })
  }
})
