import { randomUUID } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'tap'
import { encodeWav, readSamples, readWavFile } from '@tacet/audio'
import { timelineSchema, type Manifest } from '@tacet/contracts'
import { at, manifestOf } from '../helpers/manifest.ts'
import { publishEnded, startService, surroundings, type Surroundings } from '../helpers/service.ts'

const SAMPLES_PER_MS = 8
const SEGMENTS = 40
const [openMs, everyMs] = [85_000, 90_000]
const hourMs = SEGMENTS * everyMs

/** Each sample says when in the call it was said, and begins anew after eight seconds. */
const period = 65521
const clock = Int16Array.from({ length: 2 * period + openMs * SAMPLES_PER_MS }, (_, i) => i % period - 32760)
const saidFrom = (ms: number, count: number): Int16Array => clock.subarray(ms * SAMPLES_PER_MS % period).subarray(0, count)
/** How many samples later than at that moment of the call it was said. */
const lateness = (sample: number, moment: number): number => (sample + 32760 - moment % period + 1.5 * period) % period - period / 2

/** In each segment one side begins later than the other, and one, by turns the same, ends before its time. */
const sidesOf = (n: number) => (['in', 'out'] as const).map((track, side) => ({
  track,
  beginsMs: n * everyMs + 4 + ((n + side) % 2 === 0 ? 0 : n * 37 % 120),
  endsMs: n * everyMs + openMs - ((n + side) % 4 < 2 ? 0 : n * 53 % 180),
}))

async function putHour ({ spoolDir }: Surroundings): Promise<Manifest> {
  const callId = randomUUID()
  const names = (n: number) => sidesOf(n).map(({ track, beginsMs }) => ({ track, name: `tacet/tacet-${callId}-${n + 1}-${track}`, format: 'wav' as const, sampleRateHz: 8000 as const, startedAt: at(beginsMs) }))
  for (let n = 0; n < SEGMENTS; n++) {
    for (const [side, { beginsMs, endsMs }] of sidesOf(n).entries()) {
      const samples = saidFrom(beginsMs, (endsMs - beginsMs) * SAMPLES_PER_MS)
      await writeFile(join(spoolDir, 'recording', `${names(n)[side]!.name}.wav`), encodeWav({ sampleRateHz: 8000, channels: 1, bitsPerSample: 16 }, samples))
    }
  }
  const segments = Array.from({ length: SEGMENTS }, (_, n) => ({
    fromMs: n * everyMs, toMs: n * everyMs + openMs, openedAt: at(Math.max(...sidesOf(n).map(({ beginsMs }) => beginsMs))), tracks: names(n),
  }))
  return manifestOf(segments, { callId, recordingId: callId, settings: { gaps: 'silence', minimumLengthMs: 0, retentionDays: null, recordingChannels: 'stereo', outputFormats: [] } })
}

test(`after an hour in ${SEGMENTS} segments, of which one side began late or ended early, both sides are still where the timeline says`, async t => {
  const around = await surroundings(t)
  await startService(t, around.config)
  const manifest = await putHour(around)
  await publishEnded(around, manifest)
  const { data } = await around.probe.waitFor(({ type }) => type === 'recording.assembled', { timeoutMs: 30_000 })
  t.match(data, { outcome: 'complete', reasons: [] })

  const folder = join(around.recordingsDir, manifest.recordingId.slice(0, 2), manifest.recordingId, '1')
  const path = join(folder, 'recording.wav')
  const wav = await readWavFile(path)
  if (!wav.ok) throw new Error(wav.detail)
  const { segments, originAt } = timelineSchema.parse(JSON.parse(await readFile(join(folder, 'timeline.json'), 'utf8')))
  t.equal(originAt, at(4))
  const lastMs = Math.max(...sidesOf(SEGMENTS - 1).map(({ endsMs }) => endsMs))
  t.equal(wav.samples, (lastMs - 4) * SAMPLES_PER_MS)
  t.ok(lastMs > hourMs - 6_000, 'it is an hour')

  const apart: number[] = []
  const late: number[] = []
  for (const { offsetSamples, samples } of segments) {
    for (const place of [offsetSamples + 1_000, offsetSamples + (samples >> 1), offsetSamples + samples - 1_500]) {
      const [left = 0, right = 0] = await readSamples(path, wav, place, 1)
      apart.push(lateness(left, right + 32760))
      late.push(lateness(left, place + 4 * SAMPLES_PER_MS), lateness(right, place + 4 * SAMPLES_PER_MS))
    }
  }
  t.equal(apart.length, 3 * SEGMENTS)
  t.same(apart.filter(samples => Math.abs(samples) > 20 * SAMPLES_PER_MS), [], 'nowhere more than 20 ms apart')
  t.same(late.filter(samples => samples !== 0), [], 'and each at its time in the call, to the sample')
})
