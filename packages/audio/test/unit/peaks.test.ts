import fc from 'fast-check'
import t from 'tap'
import { peaks } from '@tacet/audio'
import { countingSamples, mono, stereo, tempFolder, writeSegment } from '../helpers/files.ts'

t.test('peaks are the extremes of each part', async t => {
  const folder = await tempFolder(t)
  const { path, wav } = await writeSegment(folder, 'a.wav', Int16Array.of(1, 2, -3, 4, 0, 0, 32767, -32768, 5, 6))
  t.same(await peaks(path, wav, 5), [{ min: 1, max: 2 }, { min: -3, max: 4 }, { min: 0, max: 0 }, { min: -32768, max: 32767 }, { min: 5, max: 6 }])
  t.same(await peaks(path, wav, 1), [{ min: -32768, max: 32767 }])
  t.same(await peaks(path, wav, 0), [])
})

t.test('parts without samples are flat', async t => {
  const folder = await tempFolder(t)
  const few = await writeSegment(folder, 'few.wav', Int16Array.of(7, 9))
  t.same(await peaks(few.path, few.wav, 4), [{ min: 7, max: 7 }, { min: 0, max: 0 }, { min: 9, max: 9 }, { min: 0, max: 0 }])
  const none = await writeSegment(folder, 'none.wav', new Int16Array(0))
  t.same(await peaks(none.path, none.wav, 2), [{ min: 0, max: 0 }, { min: 0, max: 0 }])
})

t.test('every sample of a file longer than a block counts in its part, of both channels', async t => {
  const folder = await tempFolder(t)
  const samples = countingSamples(300_000)
  const file = { [mono.channels]: await writeSegment(folder, 'm.wav', samples, mono), [stereo.channels]: await writeSegment(folder, 's.wav', samples, stereo) }
  await fc.assert(fc.asyncProperty(fc.integer({ min: 1, max: 400 }), fc.constantFrom(1, 2), async (buckets, channels) => {
    const expected = Array.from({ length: buckets }, () => ({ min: Infinity, max: -Infinity }))
    samples.forEach((sample, i) => {
      const peak = expected[Math.floor(i * buckets / samples.length)]!
      peak.min = Math.min(peak.min, sample)
      peak.max = Math.max(peak.max, sample)
    })
    t.same(await peaks(file[channels]!.path, file[channels]!.wav, buckets), expected)
  }), { numRuns: 10 })
})
