import { execFileSync } from 'node:child_process'
import t from 'tap'
import { createSignal, g722, leaked, locate, missing } from '@tacet/test-kit'

const samples = 5 * 8000
const signal = createSignal({ seed: 7 })
const sentPackets = Array.from({ length: samples / 160 }, (_, number) => ({ number, source: signal.name, firstSample: number * 160, sentAtMs: number * 20 }))

t.test('what came through G.722 is still found to the sample, and 20 ms of it too', async t => {
  t.throws(() => g722.encode(signal, 0, 160), /not prepared/)
  await g722.prepare?.(signal)
  const packets = sentPackets.map(({ firstSample }) => g722.encode(signal, firstSample, 160))
  const wide = execFileSync('ffmpeg', ['-v', 'error', '-f', 'g722', '-i', 'pipe:0', '-f', 's16le', 'pipe:1'], { input: Buffer.concat(packets) })
  const heard = Int16Array.from({ length: samples }, (_, i) => wide.readInt16LE(4 * i))
  const parties = [{ name: 'who', signal, sentPackets }]
  const whole = locate(heard, parties)
  t.match(whole.parties[0]?.tracks, [{ lag: -11, to: samples }])
  t.ok(missing(whole, 'who', 0, 4900) < 5)
  const leak = locate(heard.map((sample, i) => i >= 12_000 && i < 12_160 ? sample : 0), parties)
  t.equal(leaked(leak, 'who', 0, Infinity), 20)
  t.throws(() => g722.encode(signal, 3_600 * 8000, 160), /not prepared/)
})
