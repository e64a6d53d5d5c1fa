import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { test } from 'tap'
import { createWaveform, encodeWav } from '@tacet/audio'
import { measure, samplesPerPixelOf } from '../../src/usecases/measure-recording.ts'
import { countingSamples } from '../helpers/service.ts'

test('a recording is measured the same in whatever pieces it is read', async t => {
  const signal = new AbortController().signal
  await fc.assert(fc.asyncProperty(fc.constantFrom(1, 2), fc.nat(2_000), fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1 }), async (channels, frames, cuts) => {
    const samples = countingSamples(frames * channels, 9_000)
    const wav = encodeWav({ sampleRateHz: 8000, channels, bitsPerSample: 16 }, samples)
    async function * pieces (): AsyncGenerator<Buffer> {
      for (let at = 0, n = 0; at < wav.length; n++) yield wav.subarray(at, at += cuts[n % cuts.length]!)
    }
    const builder = createWaveform({ channels, samplesPerPixel: 256 })
    builder.add(samples)
    let told = 0
    const measured = await measure(pieces(), { channels, samplesPerPixel: 256, signal, onBytes: bytes => { told = bytes } })
    t.same(measured, { waveform: builder.finish(), sha512: createHash('sha512').update(wav).digest('base64url') })
    t.equal(told, wav.length)
  }), { numRuns: 100 })
})

test('the waveform that is kept has a bounded number of pixels, however long the recording', t => {
  t.equal(samplesPerPixelOf(0), 256)
  t.equal(samplesPerPixelOf(100_000 * 256), 256)
  for (const hours of [1, 10, 100]) {
    const samples = hours * 3600 * 16_000
    t.ok(samples / samplesPerPixelOf(samples) <= 100_000 && samples / samplesPerPixelOf(samples) > 50_000, `${hours} h`)
  }
  t.end()
})
