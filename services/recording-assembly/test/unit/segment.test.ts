import type { Wav, WavFault, WavRepair } from '@tacet/audio'
import { test } from 'tap'
import { judgeTrack, mayImprove, patienceMs, type Finding } from '../../src/domain/segment.ts'
import { at, manifestOf, type SegmentSpec } from '../helpers/manifest.ts'

const wav = (samples: number, { repairs = [], sampleRateHz = 8000, channels = 1 }: { repairs?: WavRepair[], sampleRateHz?: number, channels?: 1 | 2 } = {}): Finding => {
  const found: Wav = { ok: true, format: { sampleRateHz, channels, bitsPerSample: 16 }, dataOffset: 44, dataBytes: samples * 2 * channels, samples, repairs }
  return { kind: 'audio', path: '/segment.wav', wav: found }
}
const bad = (fault: WavFault): Finding => ({ kind: 'bad', fault, detail: 'as it is' })

function judge (finding: Finding, spec: Partial<SegmentSpec> = {}, isForeign = false) {
  const manifest = manifestOf([{ fromMs: 0, toMs: 10_000, ...spec }])
  const segment = manifest.segments[0]!
  return judgeTrack(segment, { file: segment.tracks[0]!, isForeign }, finding, 8000)
}
const codes = (judged: ReturnType<typeof judge>) => judged.reasons.map(({ code }) => code)
const whole = 79_400

test('a segment as long as it was open is in order', t => {
  const judged = judge(wav(whole))
  t.match(judged, { samples: whole, reasons: [], notes: [], isExpendable: true })
  t.equal(mayImprove(judged), false)
  t.end()
})

test('what is wrong with a segment is said by its code, and never hidden', t => {
  const cases: [string, Finding, string[]][] = [
    ['no file', { kind: 'absent' }, ['segment-missing']],
    ['an empty file', bad('empty'), ['segment-unreadable']],
    ['half a header', bad('truncated-header'), ['segment-unreadable']],
    ['no WAV', bad('not-wav'), ['segment-unreadable']],
    ['another codec', bad('unsupported-format'), ['segment-unreadable']],
    ['another rate', wav(whole, { sampleRateHz: 16000 }), ['segment-wrong-format']],
    ['two channels', wav(whole, { channels: 2 }), ['segment-wrong-format']],
    ['too little', wav(whole - 4000), ['segment-short']],
    ['no samples', wav(0), ['segment-short']],
    ['too much', wav(81_000), ['segment-long']],
    ['a crash that lost what was buffered', wav(whole - 16_000, { repairs: ['unfinished-header'] }), ['segment-repaired']],
    ['a crash that lost more', wav(whole - 24_000, { repairs: ['unfinished-header'] }), ['segment-repaired', 'segment-short']],
    ['a file cut short', wav(whole - 100, { repairs: ['data-cut-short'] }), ['segment-repaired']],
  ]
  for (const [name, finding, expected] of cases) t.same(codes(judge(finding)), expected, name)
  t.end()
})

test('audio that came at another rate is in order, and known for it', t => {
  const finding = wav(whole)
  t.match(judge({ ...finding, resampledFromHz: 16000 } as Finding), { samples: whole, reasons: [], notes: ['resampled-from-16000'], isExpendable: true })
  t.end()
})

test('a segment that was open for a moment may have left nothing', t => {
  for (const finding of [{ kind: 'absent' } as const, bad('empty'), bad('truncated-header'), wav(0), wav(0, { repairs: ['unfinished-header'] })]) {
    const judged = judge(finding, { toMs: 150 })
    t.match(judged, { samples: 0, audio: null, reasons: [], notes: [/^(no-file|empty-file)$/] })
  }
  t.same(codes(judge({ kind: 'absent' }, { toMs: 400 })), ['segment-missing'])
  t.end()
})

test('a recorder that was slow to start is not blamed for what it could not hear, but may have heard it', t => {
  const slow = { openedAt: at(2_000) }
  t.same(codes(judge(wav(64_000), slow)), [])
  t.same(codes(judge(wav(whole), slow)), [])
  t.same(codes(judge(wav(60_000), slow)), ['segment-short'])
  t.same(codes(judge(wav(81_000), slow)), ['segment-long'])
  t.end()
})

test('a recorder that was never proven to run may have left nothing or little, but never too much', t => {
  t.same(codes(judge({ kind: 'absent' }, { isUncertain: true })), [])
  t.same(codes(judge(wav(800), { isUncertain: true })), [])
  t.same(codes(judge(wav(90_000), { isUncertain: true })), ['segment-long'])
  t.same(codes(judge(bad('not-wav'), { isUncertain: true })), ['segment-unreadable'])
  t.end()
})

test('only what is wholly in the recording may be deleted', t => {
  t.equal(judge(wav(whole)).isExpendable, true)
  t.equal(judge(wav(81_000)).isExpendable, true)
  t.equal(judge(bad('not-wav')).isExpendable, false)
  t.equal(judge(wav(whole, { sampleRateHz: 16000 })).isExpendable, false)
  t.equal(judge(wav(whole), {}, true).isExpendable, false)
  t.end()
})

test('the file of another call is left out', t => {
  const judged = judge(wav(whole), {}, true)
  t.match(judged, { audio: null, samples: 0 })
  t.same(codes(judged), ['segment-foreign'])
  t.equal(mayImprove(judged), false)
  t.end()
})

test('a file is looked at again from the first look on, if by either clock it was closed just now', t => {
  const segment = manifestOf([{ fromMs: 0, toMs: 10_000 }]).segments[0]!
  const patienceAt = (sinceCloseMs: number): number => patienceMs(segment, Date.parse(at(10_000)) + sinceCloseMs, 1_500)
  for (const sinceCloseMs of [-3_600_000, -1_800, 0, 20, 1_800, 9_000]) t.equal(patienceAt(sinceCloseMs), 1_500, `${sinceCloseMs} ms`)
  t.equal(patienceAt(60_000), 0, 'what was closed long ago gets no better')
  t.end()
})
