import fc from 'fast-check'
import t from 'tap'
import { decodeMulaw, encodeMulaw, findSilences, isSilent, rms } from '@tacet/audio'

const tone = (length: number, amplitude: number) => Int16Array.from({ length }, (_, i) => amplitude * Math.sin(i * Math.PI / 8))

t.test('µ-law agrees with G.711 at its known points', async t => {
  t.same(decodeMulaw(Uint8Array.of(0xFF, 0x7F, 0x80, 0x00, 0xF0, 0x8F)), Int16Array.of(0, 0, 32124, -32124, 120, 16764))
  t.same(encodeMulaw(Int16Array.of(0, 32767, -32768, 120)), Uint8Array.of(0xFF, 0x80, 0x00, 0xF0))
})

t.test('every µ-law byte survives decoding and encoding, but for the negative zero', async t => {
  for (let byte = 0; byte < 256; byte++) {
    t.equal(encodeMulaw(decodeMulaw(Uint8Array.of(byte)))[0], byte === 0x7F ? 0xFF : byte)
  }
})

t.test('a sample changes by less than 4 % and its quantum through µ-law', async () => {
  fc.assert(fc.property(fc.integer({ min: -32768, max: 32767 }), sample => {
    const heard = decodeMulaw(encodeMulaw(Int16Array.of(sample)))[0]!
    return Math.abs(heard - sample) <= Math.abs(sample) * 0.04 + 8
  }))
})

t.test('rms is that of the range asked for', async t => {
  t.equal(rms(Int16Array.of(3, -3, 3, -3)), 3)
  t.equal(rms(Int16Array.of(0, 100, -100, 0), 1, 3), 100)
  t.equal(rms(new Int16Array(0)), 0)
  t.equal(rms(Int16Array.of(1), 5, 9), 0)
  t.ok(Math.abs(rms(tone(1600, 10_000)) - 10_000 / Math.SQRT2) < 5)
})

t.test('silence is found where it is', async t => {
  const samples = new Int16Array(160 * 20)
  samples.set(tone(160 * 5, 8000), 0)
  samples.set(tone(160 * 5, 8000), 160 * 10)
  t.notOk(isSilent(samples))
  t.ok(isSilent(samples, 160 * 5, 160 * 10))
  t.same(findSilences(samples, { minSamples: 160 }), [{ start: 800, end: 1600 }, { start: 2400, end: 3200 }])
  t.same(findSilences(samples, { minSamples: 1000 }), [])
  t.same(findSilences(samples.subarray(0, 850), { minSamples: 1 }), [{ start: 800, end: 850 }])
})
