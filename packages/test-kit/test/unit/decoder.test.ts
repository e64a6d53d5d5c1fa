import t from 'tap'
import { createSignal, heard, leaked, locate, missing, samplesPerPacket } from '@tacet/test-kit'
import type { AudioSource, SentPacket } from '@tacet/test-kit'
import { decodeMuLaw, encodeMuLaw } from '../../src/media/mulaw.ts'

const epochMs = 1_800_000_000_000
const customer = createSignal({ seed: 1, name: 'customer' })
const agent = createSignal({ seed: 2, name: 'agent' })
const stranger = createSignal({ seed: 3, name: 'stranger' })

const sent = (signal: AudioSource, seconds: number): SentPacket[] => Array.from({ length: seconds * 50 }, (_, number) => ({
  number, source: signal.name, firstSample: number * samplesPerPacket, sentAtMs: epochMs + number * 20 + (number % 3) / 10,
}))

/** Samples [from, to) of the signal, laid into the recording at `at`, as µ-law carries them. */
interface Part { signal: AudioSource, from: number, to: number, at: number, gain?: number }

function record (length: number, parts: Part[]): Int16Array {
  const mix = new Float64Array(length)
  for (const { signal, from, to, at, gain = 1 } of parts) {
    decodeMuLaw(encodeMuLaw(signal.read(from, to - from))).forEach((x, i) => { if (at + i < length) mix[at + i]! += x * gain })
  }
  return Int16Array.from(mix, x => Math.max(-32768, Math.min(32767, Math.round(x))))
}

const parties = (seconds: number) => [
  { name: 'customer', signal: customer, sentPackets: sent(customer, seconds) },
  { name: 'agent', signal: agent, sentPackets: sent(agent, seconds) },
]
const second = 8000

t.test('both parties of a recording with a piece cut out are located to the sample', async t => {
  // 1.0 s to 2.5 s of the call is missing; the agent's signal started 0.3 s after the customer's.
  const recording = record(3 * second, [
    { signal: customer, from: 0, to: second, at: 0 },
    { signal: customer, from: 2.5 * second, to: 4.5 * second, at: second },
    { signal: agent, from: 0, to: 0.7 * second, at: 0.3 * second },
    { signal: agent, from: 2.2 * second, to: 4.2 * second, at: second },
  ])
  const located = locate(recording, parties(5))
  const [c, a] = located.parties
  const near = (found: number, wanted: number) => t.ok(Math.abs(found - wanted) <= 4, `${found} is about ${wanted}`)
  t.equal(c?.tracks.length, 2)
  t.equal(a?.tracks.length, 2)
  t.same(c?.tracks.map(({ lag }) => lag), [0, 1.5 * second])
  t.same(a?.tracks.map(({ lag }) => lag), [-0.3 * second, 1.2 * second])
  near(c?.tracks[0]?.to ?? 0, second)
  near(c?.tracks[1]?.from ?? 0, second)
  near(a?.tracks[0]?.from ?? 0, 0.3 * second)

  t.ok(leaked(located, 'customer', epochMs + 1000, epochMs + 2500) < 1, 'nothing from the gap')
  t.ok(missing(located, 'customer', epochMs, epochMs + 1000) < 1, 'everything before the gap')
  t.ok(missing(located, 'customer', epochMs + 2500, epochMs + 4500) < 1, 'everything after the gap')
  t.ok(Math.abs(missing(located, 'customer', epochMs, epochMs + 4500) - 1500) < 1)
  const ranges = heard(located, 'customer')
  t.equal(ranges.length, 2)
  t.ok(Math.abs((ranges[0]?.toMs ?? 0) - epochMs - 1000) < 1)
  t.ok(Math.abs((ranges[1]?.fromMs ?? 0) - epochMs - 2500) < 1)
})

t.test('each 20 ms names the packets it came from, two where a join lies inside', async t => {
  const recording = record(second, [
    { signal: customer, from: 0, to: 4080, at: 0 },
    { signal: customer, from: 8000, to: 11920, at: 4080 },
  ])
  const { stretches } = locate(recording, parties(3))
  t.equal(stretches.length, 50)
  t.match(stretches[3]?.hits, [{ name: 'customer', firstSample: 480, samples: 160, packet: { number: 3 } }])
  const joined = stretches[25]?.hits ?? []
  t.equal(joined.length, 2)
  t.equal(joined[0]?.packet?.number, 25)
  t.equal(joined[1]?.packet?.number, 50)
  t.ok(Math.abs((joined[0]?.samples ?? 0) - 80) <= 4)
})

t.test('a 20 ms leak mixed under the other party is found wherever it lies, to ±2.5 ms', async t => {
  for (let trial = 0; trial < 12; trial++) {
    const leakAt = 5000 + trial * 1237
    const secretFrom = 3 * second + trial * 801
    const recording = record(3 * second, [
      { signal: agent, from: 0, to: 3 * second, at: 0 },
      { signal: customer, from: secretFrom, to: secretFrom + 160, at: leakAt },
    ])
    const located = locate(recording, parties(6))
    t.equal(located.parties[0]?.tracks.length, 1, `trial ${trial}`)
    t.equal(located.parties[0]?.tracks[0]?.lag, secretFrom - leakAt)
    const ms = leaked(located, 'customer', epochMs + 2900, epochMs + 6000)
    t.ok(Math.abs(ms - 20) <= 2.5, `trial ${trial}: ${ms} ms`)
  }
})

t.test('a leak of 10 ms shows, also beside a voice that nobody told us of', async t => {
  const leak = { signal: customer, from: 30_000, to: 30_080, at: 9000 }
  const alone = locate(record(2 * second, [leak, { signal: agent, from: 0, to: 2 * second, at: 0 }]), parties(5))
  t.ok(Math.abs(leaked(alone, 'customer', epochMs, epochMs + 5000) - 10) <= 2.5)
  const crowded = locate(record(second, [
    { ...leak, to: 30_160, at: 3000 },
    { signal: stranger, from: 0, to: second, at: 0, gain: 0.5 },
  ]), parties(5))
  t.ok(Math.abs(leaked(crowded, 'customer', epochMs, epochMs + 5000) - 20) <= 5)
})

t.test('a party is followed through hold music louder than itself', async t => {
  const music: AudioSource = {
    name: 'music',
    read: (from, count) => stranger.read(from, count).map((x, i) => x * (1 + Math.sin((from + i) / 2000))),
  }
  const located = locate(record(3 * second, [
    { signal: customer, from: 0, to: 3 * second, at: 0 },
    { signal: music, from: 0, to: 1.5 * second, at: second },
  ]), parties(4))
  t.ok(missing(located, 'customer', epochMs, epochMs + 3000) < 5)
  t.equal(leaked(located, 'agent', 0, Infinity), 0)
})

t.test('where nothing leaked, nothing is reported', async t => {
  const recording = record(3 * second, [
    { signal: agent, from: 0, to: 3 * second, at: 0 },
    { signal: stranger, from: 0, to: second, at: second },
  ])
  const located = locate(recording, parties(10))
  t.equal(leaked(located, 'customer', 0, Infinity), 0)
  t.same(heard(located, 'customer'), [])
  t.equal(missing(located, 'agent', epochMs, epochMs + 3000) < 1, true)
})

t.test('silence and an empty recording hold nobody', async t => {
  t.same(locate(new Int16Array(second), parties(2)).parties.map(({ tracks }) => tracks), [[], []])
  t.same(locate(new Int16Array(0), parties(2)).stretches, [])
})

t.test('lost packets are holes of 20 ms, not the end of a track', async t => {
  const lost = [20, 21, 60]
  const recording = record(2 * second, [
    ...Array.from({ length: 100 }, (_, i) => i).filter(i => !lost.includes(i))
      .map(i => ({ signal: customer, from: i * 160, to: i * 160 + 160, at: i * 160 })),
    { signal: agent, from: 0, to: 2 * second, at: 0 },
  ])
  const located = locate(recording, parties(2))
  t.ok(Math.abs(missing(located, 'customer', epochMs, epochMs + 2000) - 60) <= 2.5)
  t.ok(Math.abs(missing(located, 'customer', epochMs + 400, epochMs + 440) - 40) <= 2.5)
  t.equal(heard(located, 'customer').length, 3)
})

t.test('a recording made quieter and duller is still read', async t => {
  const clean = record(2 * second, [
    { signal: customer, from: 1600, to: 1600 + 2 * second, at: 0, gain: 0.7 },
    { signal: agent, from: 0, to: 2 * second, at: 0, gain: 0.7 },
  ])
  const soft = clean.map((x, i) => Math.round(0.9 * x + 0.1 * (clean[i - 1] ?? 0)))
  const located = locate(soft, parties(3))
  t.ok(missing(located, 'customer', epochMs + 200, epochMs + 2200) < 2.5)
  t.ok(missing(located, 'agent', epochMs, epochMs + 2000) < 2.5)
})

t.test('an edge that is off by a millisecond is no leak, more of a packet is', t => {
  const { signal, sentPackets } = parties(1)[0]!
  const leakedAfter = (samples: number) => leaked({ parties: [{ name: 'customer', signal, sentPackets, tracks: [{ from: 0, to: 1600 + samples, lag: 0, gain: 1 }] }], stretches: [] }, 'customer', sentPackets[10]!.sentAtMs, Infinity)
  t.equal(leakedAfter(8), 0)
  t.equal(leakedAfter(9), 9 / 8)
  t.end()
})
