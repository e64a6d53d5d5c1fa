import fc from 'fast-check'
import t from 'tap'
import { coarser, createWaveform } from '@tacet/audio'
import { countingSamples } from '../helpers/files.ts'

/** From the definition, without streams. */
function expected (samples: Int16Array, channels: number, samplesPerPixel: number): number[] {
  const data: number[] = []
  for (let start = 0; start < samples.length; start += samplesPerPixel * channels) {
    for (let channel = 0; channel < channels; channel++) {
      const own = [...samples.subarray(start, start + samplesPerPixel * channels)].filter((_, i) => i % channels === channel)
      data.push(Math.min(...own), Math.max(...own))
    }
  }
  return data
}

t.test('pixels are the extremes of their samples, however the samples come', async () => {
  await fc.assert(fc.property(fc.nat(3_000), fc.constantFrom(1, 2), fc.integer({ min: 1, max: 300 }), fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1 }), (count, channels, samplesPerPixel, cuts) => {
    const samples = countingSamples(count * channels).map((sample, i) => Math.imul(sample, i + 7) >> 16)
    const builder = createWaveform({ channels, samplesPerPixel })
    for (let at = 0, i = 0; at < samples.length; i++) {
      const next = at + cuts[i % cuts.length]!
      builder.add(samples.subarray(at, next))
      at = next
    }
    const { data } = builder.finish()
    const wanted = expected(samples, channels, samplesPerPixel)
    return data.length === wanted.length && wanted.every((value, i) => data[i] === value)
  }), { numRuns: 200 })
})

t.test('a coarser waveform is that of larger pixels', async t => {
  const samples = countingSamples(10_001 * 2)
  const waveformOf = (samplesPerPixel: number) => {
    const builder = createWaveform({ channels: 2, samplesPerPixel })
    builder.add(samples)
    return builder.finish()
  }
  for (const factor of [1, 2, 7, 1000]) t.same(coarser(waveformOf(10), factor), waveformOf(10 * factor))
})
