import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { test } from 'tap'
import { gainsOf, type Layout } from '@tacet/audio'
import { timelineSchema, type Timeline } from '@tacet/contracts'
import { cutTimeline, findPurge, planCut, type PurgeWish } from '../../src/domain/purge.ts'
import { toPeaks } from '../../src/usecases/read-peaks.ts'
import { at } from '../helpers/manifest.ts'

const rate = 8000
const order = { purgeId: randomUUID(), at: at(99_000), credentialId: randomUUID(), agentId: null, segments: [] }

/** 2 s of segment 1, a gap of 10 s, 3 s of segment 2. */
function timelineOf (gapMode: Timeline['gapMode']): Timeline {
  const fill = { remove: 0, tone: 1_600, silence: 80_000 }[gapMode]
  const placed = (offsetSamples: number, samples: number) => ({ offsetSamples, samples, offsetMs: offsetSamples / 8, durationMs: samples / 8 })
  const segment = (number: number, fromMs: number, offsetSamples: number, samples: number) => ({
    number, startedAt: at(fromMs), endedAt: at(fromMs + samples / 8), ...placed(offsetSamples, samples), fadeInSamples: number === 1 ? 0 : 40, fadeOutSamples: number === 1 ? 40 : 0, tracks: [], closedBy: 'pause', notes: [],
  })
  const samples = 40_000 + fill
  return timelineSchema.parse({
    schemaVersion: 1,
    recordingId: order.purgeId,
    callId: order.purgeId,
    companyId: order.purgeId,
    outcome: 'complete',
    reasons: [],
    direction: 'inbound',
    number: null,
    customer: null,
    agents: [],
    startedAt: at(0),
    answeredAt: at(0),
    endedAt: at(15_000),
    endReason: 'hangup',
    sampleRateHz: rate,
    channels: 1,
    gapMode,
    originAt: gapMode === 'silence' ? at(0) : null,
    samples,
    durationMs: samples / 8,
    bytes: 44 + samples * 2,
    sha256: 'a',
    fills: gapMode === 'remove' ? [] : [{ kind: gapMode, ...placed(16_000, fill) }],
    segments: [segment(1, 0, 0, 16_000), segment(2, 12_000, 16_000 + fill, 24_000)],
    gaps: [{ startedAt: at(2_000), endedAt: at(12_000), reasons: ['agent'], by: [], atSample: 16_000, samples: fill, durationMs: 10_000 }],
  })
}

test('what is to go is found by segment, by what is heard, and by the time of the call', async t => {
  const timeline = timelineOf('remove')
  t.same(findPurge(timeline, { segment: 2 }), { ranges: [{ from: 16_000, to: 40_000 }], segments: [2] })
  t.same(findPurge(timeline, { fromMs: 1_000, toMs: 1_500.01 }), { ranges: [{ from: 8_000, to: 12_001 }], segments: [1] })
  t.same(findPurge(timeline, { fromMs: 1_900, toMs: 2_100 }), { ranges: [{ from: 15_200, to: 16_800 }], segments: [1, 2] })
  t.same(findPurge(timeline, { from: at(1_000), to: at(13_000) }), { ranges: [{ from: 8_000, to: 24_000 }], segments: [1, 2] }, 'the gap between is not there anyway')
  t.same(findPurge(timeline, { from: at(2_500), to: at(11_000) }), { ranges: [], segments: [] })
  t.same(findPurge(timeline, { segment: 3 }), { ranges: [], segments: [] })
  t.same(findPurge(timeline, { fromMs: 4_000, toMs: 99_000 }).ranges, [{ from: 32_000, to: 40_000 }])
})

test('what was cut out already is not found again, and a segment that was unfit for the recording is: its file is elsewhere', async t => {
  const timeline = timelineOf('remove')
  const cut = (of: Timeline, wish: PurgeWish) => {
    const found = findPurge(of, wish)
    return cutTimeline(of, planCut(of, found.ranges), { ...order, segments: found.segments }, { bytes: 1, sha256: 'b' })
  }
  t.same(findPurge(cut(timeline, { segment: 2 }), { segment: 2 }), { ranges: [], segments: [] })
  const unfit = { ...timeline.segments[0]!, number: 3, startedAt: at(5_000), endedAt: at(6_000), offsetSamples: 16_000, samples: 0, durationMs: 0, notes: ['segment-unreadable'] }
  const torn = { ...timeline, segments: [timeline.segments[0]!, unfit, timeline.segments[1]!] }
  t.same(findPurge(torn, { segment: 3 }), { ranges: [], segments: [3] })
  t.same(findPurge(torn, { from: at(5_500), to: at(5_600) }), { ranges: [], segments: [3] }, 'by the time of the call')
  t.same(findPurge(torn, { from: at(5_500), to: at(12_500) }), { ranges: [{ from: 16_000, to: 20_000 }], segments: [2, 3] })
  t.same(findPurge(torn, { from: at(6_000), to: at(7_000) }), { ranges: [], segments: [] })
  const without = cut(torn, { segment: 3 })
  t.match(without.segments[1], { number: 3, notes: ['segment-unreadable', 'purged'] })
  t.same(findPurge(without, { segment: 3 }), { ranges: [], segments: [] })
})

test('without a stand-in the recording becomes shorter, and the timeline says why', async t => {
  const timeline = timelineOf('remove')
  const { ranges } = findPurge(timeline, { fromMs: 500, toMs: 1_000 })
  const cut = planCut(timeline, ranges)
  t.same(cut.kept, [{ from: 0, to: 4_000 }, { from: 8_000, to: 40_000 }])
  t.match(cut.layout.segments, [{ offsetSamples: 0, fadeInSamples: 0, fadeOutSamples: 40 }, { offsetSamples: 4_000, fadeInSamples: 40, fadeOutSamples: 0 }])
  const after = cutTimeline(timeline, cut, order, { bytes: 1, sha256: 'b' })
  t.match(after, { version: 2, samples: 36_000, durationMs: 4_500, sha256: 'b', purges: [{ purgeId: order.purgeId, samples: 4_000 }] })
  t.match(after.segments, [
    { number: 1, offsetSamples: 0, samples: 4_000, startedAt: at(0), endedAt: at(500), notes: ['purged'] },
    { number: 1, offsetSamples: 4_000, samples: 8_000, startedAt: at(1_000), endedAt: at(2_000), notes: ['purged'] },
    { number: 2, offsetSamples: 12_000, samples: 24_000, notes: [] },
  ])
  t.match(after.gaps, [{ reasons: ['purged'], startedAt: at(500), endedAt: at(1_000), atSample: 4_000, samples: 0, durationMs: 500 }, { reasons: ['agent'], atSample: 12_000 }])
  timelineSchema.parse(after)
})

test('where gaps are silence the call keeps its time; where they are a tone, a tone marks what is gone', async t => {
  const silent = timelineOf('silence')
  const kept = cutTimeline(silent, planCut(silent, findPurge(silent, { segment: 1 }).ranges), order, { bytes: 1, sha256: 'b' })
  t.match(kept, { samples: silent.samples, fills: [{ kind: 'silence', offsetSamples: 0, samples: 16_000 }, { offsetSamples: 16_000, samples: 80_000 }], segments: [{ number: 1, samples: 0, notes: ['purged'] }, { offsetSamples: 96_000 }] })
  const toned = timelineOf('tone')
  const marked = cutTimeline(toned, planCut(toned, [{ from: 20_000, to: 30_000 }]), order, { bytes: 1, sha256: 'b' })
  t.match(marked, { samples: toned.samples - 10_000 + 1_600, fills: [{ kind: 'tone', offsetSamples: 16_000 }, { kind: 'tone', offsetSamples: 20_000, samples: 1_600 }] })
})

test('an edge is faded once, and as the timeline says: where a segment began or ended before, it has its fade', async t => {
  /** How loud each sample is; fills have their own fades. */
  const loudnessOf = ({ samples, segments }: Pick<Layout, 'samples' | 'segments'>) => {
    const loudness = new Float64Array(samples).fill(1)
    for (const segment of segments) loudness.set(gainsOf(segment), segment.offsetSamples)
    return loudness
  }
  const ranges = { 'the rest of a segment': [8_000, 16_000], 'the beginning of one': [0, 8_000], 'the middle of one': [4_000, 8_000], 'over the gap': [8_000, 'a second after it'] } as const
  for (const mode of ['remove', 'tone', 'silence'] as const) {
    for (const [name, [from, end]] of Object.entries(ranges)) {
      const timeline = timelineOf(mode)
      const to = typeof end === 'number' ? end : timeline.segments[1]!.offsetSamples + rate
      const cut = planCut(timeline, [{ from, to }])
      const [before, again] = [loudnessOf(timeline), loudnessOf(cut.layout)]
      cut.kept.forEach((range, index) => {
        const { offsetSamples, samples } = cut.layout.segments[index]!
        for (let i = 0; i < samples; i++) again[offsetSamples + i]! *= before[range.from + i]!
      })
      const after = cutTimeline(timeline, cut, order, { bytes: 1, sha256: 'b' })
      t.same(again, loudnessOf(after), `${name}, ${mode}`)
      t.ok(after.segments.every(({ offsetSamples, samples, fadeInSamples, fadeOutSamples }) => samples === 0 || ((offsetSamples === 0 || fadeInSamples > 0) && (offsetSamples + samples === after.samples || fadeOutSamples > 0))), 'no edge clicks')
    }
  }
})

test('all of it may go', async t => {
  const timeline = timelineOf('remove')
  const cut = planCut(timeline, [{ from: 0, to: 40_000 }])
  t.same(cut.kept, [])
  t.match(cutTimeline(timeline, cut, order, null), { samples: 0, sha256: null, bytes: 0, segments: [{ samples: 0 }, { samples: 0 }] })
})

test('where nothing but gaps would be left, nothing is: no audio, no length, no place', async t => {
  for (const mode of ['remove', 'tone', 'silence'] as const) {
    const all = timelineOf(mode)
    const at0 = { offsetSamples: 0, samples: 0 }
    const nothing = { samples: 0, durationMs: 0, bytes: 0, sha256: null, originAt: null, fills: [], segments: [at0, at0] }
    const without = (segment: number) => cutTimeline(all, planCut(all, findPurge(all, { segment }).ranges), order, { bytes: 1, sha256: 'b' })
    for (const [timeline, ranges] of [[without(1), findPurge(without(1), { segment: 2 }).ranges], [without(2), findPurge(without(2), { segment: 1 }).ranges], [all, [{ from: 0, to: all.samples }]]] as const) {
      const cut = planCut(timeline, ranges)
      t.match(cut, { kept: [], layout: { samples: 0 } }, mode)
      const after = timelineSchema.parse(cutTimeline(timeline, cut, order, null))
      t.match(after, nothing, mode)
      t.ok(after.gaps.every(({ atSample, samples }) => atSample === 0 && samples === 0), mode)
    }
  }
})

test('whatever is cut, in whatever order: what is left is told sample for sample, and nothing of what is gone', async () => {
  const stretch = fc.record({ fromMs: fc.nat(13_000), lengthMs: fc.integer({ min: 1, max: 4_000 }) }).map(({ fromMs, lengthMs }) => ({ fromMs, toMs: fromMs + lengthMs }))
  const wishes = fc.array(fc.oneof({ weight: 3, arbitrary: stretch }, { weight: 1, arbitrary: fc.record({ segment: fc.constantFrom(1, 2) }) }), { minLength: 1, maxLength: 4 })
  fc.assert(fc.property(fc.constantFrom('remove', 'tone', 'silence'), wishes, (mode, wishes) => {
    let timeline = timelineOf(mode as Timeline['gapMode'])
    // Every sample that was spoken has a name of its own; fills have none.
    let sound: (string | null)[] = Array.from({ length: timeline.samples }, (_, index) => timeline.segments.some(({ offsetSamples, samples }) => index >= offsetSamples && index < offsetSamples + samples) ? String(index) : null)
    const gone = new Set<string>()
    for (const wish of wishes) {
      const { ranges } = findPurge(timeline, wish)
      if (ranges.length === 0) continue
      for (const { from, to } of ranges) for (let i = from; i < to; i++) if (sound[i] !== null) gone.add(sound[i]!)
      const cut = planCut(timeline, ranges)
      const next: (string | null)[] = Array.from({ length: cut.layout.samples }, () => null)
      cut.kept.forEach(({ from, to }, index) => { for (let i = from; i < to; i++) next[cut.layout.segments[index]!.offsetSamples + i - from] = sound[i]! })
      timeline = timelineSchema.parse(cutTimeline(timeline, cut, order, cut.kept.length === 0 ? null : { bytes: 1, sha256: 'b' }))
      sound = cut.kept.length === 0 ? [] : next
    }
    const told = sound.map(() => 0)
    for (const { offsetSamples, samples } of [...timeline.segments, ...timeline.fills]) for (let i = offsetSamples; i < offsetSamples + samples; i++) told[i]!++
    const inSegments = (index: number) => timeline.segments.some(({ offsetSamples, samples }) => index >= offsetSamples && index < offsetSamples + samples)
    const areGapsSilent = timeline.gaps.every(({ atSample, samples }) => atSample + samples <= sound.length && sound.slice(atSample, atSample + samples).every(name => name === null))
    const { length, gaps } = toPeaks({ channels: 1, samplesPerPixel: 256, data: new Int16Array(Math.ceil(sound.length / 256) * 2) }, timeline, 8)
    const areMarked = gaps.every(({ pixel, pixels }) => pixel + pixels <= length)
    const isHeard = sound.some(name => name !== null)
    return areGapsSilent && areMarked && (isHeard || timeline.samples === 0) && timeline.samples === sound.length && told.every(times => times === 1) && sound.every((name, index) => name === null ? !inSegments(index) : inSegments(index) && !gone.has(name))
  }), { numRuns: 40 })
})
