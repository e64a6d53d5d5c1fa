import { timelineSchema, type Manifest, type TrackName } from '@tacet/contracts'
import { test } from 'tap'
import { arrange } from '../../src/domain/arrangement.ts'
import { judgeRecording, keptOf } from '../../src/domain/outcome.ts'
import type { JudgedSegment, Reason } from '../../src/domain/segment.ts'
import { buildTimeline } from '../../src/domain/timeline.ts'
import type { RecordingStore } from '../../src/usecases/ports.ts'
import { putTimeline } from '../../src/usecases/timeline-file.ts'
import { at, manifestOf } from '../helpers/manifest.ts'
import { sha256 } from '../helpers/service.ts'

const manifest = manifestOf([{ fromMs: 0, toMs: 1000 }, { fromMs: 3000, toMs: 3100 }, { fromMs: 4000, toMs: 5000, closedBy: 'end' }])

function segments (samples: number[], reasons: Reason[] = []): JudgedSegment[] {
  return manifest.segments.map((segment, index) => {
    const count = samples[index] ?? 0
    const audio = { path: '', wav: { ok: true as const, format: { sampleRateHz: 8000, channels: 1 as const, bitsPerSample: 16 as const }, dataOffset: 44, dataBytes: count * 2, samples: count, repairs: [] } }
    return { segment, tracks: [{ file: segment.tracks[0]!, audio: count > 0 ? audio : null, samples: count, reasons, notes: [], isExpendable: true }] }
  })
}
const build = (manifest: Manifest, judged: JudgedSegment[], written: ReturnType<typeof audio>) =>
  buildTimeline(manifest, judgeRecording(manifest, judged), judged, arrange(manifest, 1, judged), written)
const audio = (samples: number) => ({ samples, bytes: 44 + 2 * samples, sha256: 'a'.repeat(64) })

test('every segment has its place and every gap the sample where it was cut out', t => {
  const judged = segments([7900, 0, 7950])
  const timeline = build(manifest, judged, audio(15_850))
  t.match(timeline.segments, [
    { number: 1, offsetSamples: 0, samples: 7900, offsetMs: 0, durationMs: 987.5, startedAt: at(4), endedAt: at(1000), closedBy: 'pause' },
    { number: 2, offsetSamples: 7900, samples: 0, durationMs: 0 },
    { number: 3, offsetSamples: 7900, samples: 7950, offsetMs: 987.5, closedBy: 'end' },
  ])
  t.match(timeline.gaps, [
    { atSample: 7900, durationMs: 2004, reasons: ['agent'], by: [{ kind: 'agent' }], startedAt: at(1000), endedAt: at(3004) },
    { atSample: 7900, durationMs: 904 },
  ])
  t.match(timeline, { outcome: 'complete', reasons: [], samples: 15_850, durationMs: 1981.25, bytes: 31_744, sha256: 'a'.repeat(64) })
  t.same(timelineSchema.parse(timeline), timeline)
  t.end()
})

test('a gap before the first segment is cut out at the start, one after the last at the end', t => {
  const gap = (fromMs: number, toMs: number) => ({ ...manifest.gaps[0]!, startedAt: at(fromMs), endedAt: at(toMs) })
  const judged = segments([8000, 800, 8000])
  const framed = { ...manifest, gaps: [gap(-500, 4), gap(5000, 9000)] }
  const timeline = build(framed, judged, audio(16_800))
  t.same(timeline.gaps.map(({ atSample }) => atSample), [0, 16_800])
  t.end()
})

test('with silence a timeline says when its first sample was, and what stands for each gap', t => {
  const judged = segments([7900, 0, 7950])
  const kept = { ...manifest, settings: { ...manifest.settings, gaps: 'silence' as const } }
  const timeline = build(kept, judged, audio(39_950))
  t.match(timeline, {
    gapMode: 'silence',
    originAt: at(4),
    segments: [{ offsetSamples: 0, fadeInSamples: 0, fadeOutSamples: 40 }, { samples: 0 }, { offsetSamples: 32_000, offsetMs: 4_000, fadeInSamples: 40, fadeOutSamples: 0 }],
    fills: [{ kind: 'silence', offsetSamples: 7_900, samples: 24_100, durationMs: 3012.5 }],
    gaps: [{ atSample: 7_900, samples: 16_868 }, { atSample: 24_768, samples: 7_232 }],
  })
  t.same(timelineSchema.parse(timeline), timeline)
  t.end()
})

test('two sides are placed by when their recorders began, and the timeline says by how much', t => {
  const [first, ...others] = manifest.segments
  const file = first!.tracks[0]!
  const tracks = (['in', 'out'] as const).map((track, index) => ({ ...file, track, name: `${file.name}-${track}`, startedAt: at(index === 0 ? 14 : 4) }))
  const segment = { ...first!, tracks }
  const [judged] = segments([7900])
  const sides = tracks.map((file, index) => ({ ...judged!.tracks[0]!, file, samples: 7900 - 160 * index, audio: { ...judged!.tracks[0]!.audio!, wav: { ...judged!.tracks[0]!.audio!.wav, samples: 7900 - 160 * index } } }))
  const stereo = { ...manifest, segments: [segment, ...others] }
  const all = [{ segment, tracks: sides }, ...segments([0, 0, 0]).slice(1)]
  const timeline = buildTimeline(stereo, judgeRecording(stereo, all), all, arrange(stereo, 2, all), audio(7_980))
  t.match(timeline, { channels: 2, samples: 7_980, segments: [{ samples: 7_980, tracks: [{ track: 'in', leadSamples: 80, samples: 7_900, fadeInSamples: 40, fadeOutSamples: 0 }, { track: 'out', leadSamples: 0, samples: 7_740, fadeInSamples: 0, fadeOutSamples: 40 }] }, {}, {}] })
  t.end()
})

test('a side that left nothing is silent, not an end of the recording', t => {
  const [first] = segments([7900])
  const lost = { ...first!.tracks[0]!, audio: null, samples: 0, reasons: [{ code: 'segment-missing', detail: '' }] }
  const { segments: [stitched] } = arrange(manifest, 2, [{ segment: first!.segment, tracks: [lost, first!.tracks[0]!] }])
  t.match(stitched, { tracks: [{ samples: 0 }, { wav: { samples: 7900 } }] })
  t.end()
})

test('a file that does not have the samples of its segments is never described', t => {
  const judged = segments([8000, 800, 8000])
  t.throws(() => build(manifest, judged, audio(16_799)), /the layout has 16800 samples, the file 16799/)
  t.end()
})

test('a recording is complete, incomplete or empty', t => {
  const missing = [{ code: 'segment-missing', detail: 'segment 1' }]
  t.same(judgeRecording(manifest, segments([8000, 0, 0])), { outcome: 'complete', reasons: [] })
  t.same(judgeRecording(manifest, segments([0, 0, 0])), { outcome: 'empty', reasons: [] })
  t.same(judgeRecording({ ...manifest, segments: [] }, []), { outcome: 'empty', reasons: [] })
  t.equal(judgeRecording(manifest, segments([8000, 0, 0], missing)).outcome, 'incomplete')
  t.equal(judgeRecording(manifest, segments([0, 0, 0], missing)).outcome, 'incomplete', 'lost audio is no empty recording')
  t.match(judgeRecording({ ...manifest, faults: ['recorder-lost'] }, segments([8000, 0, 0])), { outcome: 'incomplete', reasons: [{ code: 'recorder-lost' }] })
  const lostGap = { startedAt: manifest.startedAt, endedAt: manifest.answeredAt, reasons: ['lost' as const], by: [] }
  t.match(judgeRecording({ ...manifest, gaps: [lostGap] }, segments([8000, 0, 0])), { outcome: 'incomplete', reasons: [{ code: 'audio-lost' }] }, 'what nobody recorded is missing too')
  t.end()
})

test('a recording without any sound is not complete, unless it is too short to say so', t => {
  t.match(judgeRecording(manifest, segments([8000, 0, 0]), ['mix']), { outcome: 'incomplete', reasons: [{ code: 'nothing-heard' }] })
  t.same(judgeRecording(manifest, segments([7900, 0, 0]), ['mix']), { outcome: 'complete', reasons: [] })
  t.match(judgeRecording({ ...manifest, faults: ['recorder-lost'] }, segments([8000, 0, 0]), ['mix']), { reasons: [{ code: 'recorder-lost' }] })
  t.end()
})

test('neither is a stereo recording of which one side has no sound, unless that may have said nothing', t => {
  const stereo = (seconds: number[], ...unheard: TrackName[]) => judgeRecording(manifest, segments(seconds.map(s => s * 8000)).map(({ segment, tracks: [track] }) =>
    ({ segment, tracks: (['in', 'out'] as const).map(side => ({ ...track!, file: { ...track!.file, track: side } })) })), unheard)
  t.same(stereo([6, 6, 0]), { outcome: 'complete', reasons: [] })
  t.match(stereo([6, 6, 0], 'in'), { outcome: 'incomplete', reasons: [{ code: 'side-not-heard', detail: /customer or caller: 12000 ms/ }] })
  t.match(stereo([6, 6, 0], 'out'), { outcome: 'incomplete', reasons: [{ code: 'side-not-heard', detail: /agent/ }] })
  t.same(stereo([5, 4, 0], 'out'), { outcome: 'complete', reasons: [] })
  t.match(stereo([6, 6, 0], 'in', 'out').reasons, [{ code: 'nothing-heard' }])
  t.end()
})

test('a recording shorter than the company wants is empty, and nothing of it is kept', t => {
  const wanting = (minimumLengthMs: number) => ({ ...manifest, settings: { ...manifest.settings, gaps: 'silence' as const, minimumLengthMs } })
  const judged = segments([7900, 0, 7900])
  t.equal(judgeRecording(wanting(1_975), judged).outcome, 'complete')
  const verdict = judgeRecording(wanting(1_976), judged)
  t.match(verdict, { outcome: 'empty', reasons: [{ code: 'below-minimum-length', detail: '1975 ms were recorded, less than 1976 ms' }] })
  const kept = keptOf(verdict, judged)
  t.match(kept, [{ tracks: [{ audio: null, samples: 0, notes: ['below-minimum-length'], isExpendable: true }] }, {}, {}])
  t.equal(arrange(wanting(1_976), 1, kept).layout.samples, 0, 'no silence either')
  t.equal(keptOf(judgeRecording(wanting(0), judged), judged), judged)
  const lost = segments([7900, 0, 0], [{ code: 'segment-missing', detail: 'segment 1' }])
  t.equal(judgeRecording(wanting(60_000), lost).outcome, 'incomplete', 'nobody knows how long it would have been')
  t.end()
})

test('a timeline that does not come back as it was written is not stored', async t => {
  const timeline = build(manifest, segments([7900, 0, 7950]), audio(15_850))
  const storing = (sha256Of: (content: string) => string): RecordingStore => ({
    async put (_name: unknown, write: (file: unknown, path: string) => Promise<unknown>) {
      let content = ''
      await write({ writeFile: async (text: string) => { content = text } }, '')
      return { result: undefined, bytes: content.length, sha256: sha256Of(content) }
    },
  }) as unknown as RecordingStore
  const put = (store: RecordingStore) => putTimeline(store, { recordingId: manifest.recordingId, generation: 1 }, timeline, {})
  await put(storing(sha256))
  await t.rejects(put(storing(content => sha256(content.slice(1)))), { name: 'DependencyUnavailable', dependency: 'store' })
})
