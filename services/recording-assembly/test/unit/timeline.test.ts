import { timelineSchema } from '@tacet/contracts'
import { test } from 'tap'
import { judgeRecording } from '../../src/domain/outcome.ts'
import type { JudgedSegment, Reason } from '../../src/domain/segment.ts'
import { buildTimeline } from '../../src/domain/timeline.ts'
import { at, manifestOf } from '../helpers/manifest.ts'

const manifest = manifestOf([{ fromMs: 0, toMs: 1000 }, { fromMs: 3000, toMs: 3100 }, { fromMs: 4000, toMs: 5000, closedBy: 'end' }])

function segments (samples: number[], reasons: Reason[] = []): JudgedSegment[] {
  return manifest.segments.map((segment, index) => {
    const count = samples[index] ?? 0
    const audio = { path: '', wav: { ok: true, format: { sampleRateHz: 8000, channels: 1, bitsPerSample: 16 }, dataOffset: 44, dataBytes: count * 2, samples: count, repairs: [] } } as const
    return { segment, file: segment.tracks[0]!, isForeign: false, audio: count > 0 ? { ...audio, wav: { ...audio.wav, repairs: [] } } : null, samples: count, reasons, notes: [], isExpendable: true }
  })
}
const audio = (samples: number) => ({ samples, bytes: 44 + 2 * samples, sha256: 'a'.repeat(64) })

test('every segment has its place and every gap the sample where it was cut out', t => {
  const judged = segments([7900, 0, 7950])
  const timeline = buildTimeline(manifest, judgeRecording(manifest, judged), judged, audio(15_850))
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
  const timeline = buildTimeline(framed, judgeRecording(framed, judged), judged, audio(16_800))
  t.same(timeline.gaps.map(({ atSample }) => atSample), [0, 16_800])
  t.end()
})

test('a file that does not have the samples of its segments is never described', t => {
  const judged = segments([8000, 800, 8000])
  t.throws(() => buildTimeline(manifest, judgeRecording(manifest, judged), judged, audio(16_799)), /16800 samples, the file 16799/)
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
  t.end()
})
