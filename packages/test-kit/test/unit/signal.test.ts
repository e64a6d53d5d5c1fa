import t from 'tap'
import { createSignal } from '@tacet/test-kit'
import { decodeMuLaw, encodeMuLaw } from '../../src/media/mulaw.ts'

t.test('a signal is the same whichever way it is read', async t => {
  const signal = createSignal({ seed: 7 })
  const whole = signal.read(0, 4000)
  t.same(signal.read(1234, 160), whole.subarray(1234, 1394))
  t.same(createSignal({ seed: 7 }).read(0, 4000), whole)
  t.ok(createSignal({ seed: 8 }).read(0, 4000).some((x, i) => x !== whole[i]))
})

t.test('it is about -15 dBFS, and two of them never clip', async t => {
  const samples = createSignal({ seed: 7 }).read(0, 80_000)
  const rms = Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length)
  t.ok(Math.abs(20 * Math.log10(rms / 32768) + 15) < 0.2)
  t.ok(Math.max(...samples) * 2 < 32768)
})

t.test('µ-law carries every code unchanged and every sample to within its step', async t => {
  const codes = Uint8Array.from({ length: 256 }, (_, code) => code)
  const again = encodeMuLaw(decodeMuLaw(codes))
  t.equal(again.filter((code, i) => code !== i && i !== 0x7f).length, 0, 'but for the negative zero')
  const samples = createSignal({ seed: 9 }).read(0, 8000)
  const worst = decodeMuLaw(encodeMuLaw(samples)).reduce((max, x, i) => Math.max(max, Math.abs(x - (samples[i] ?? 0)) / (Math.abs(samples[i] ?? 0) + 132)), 0)
  t.ok(worst < 0.04)
})
