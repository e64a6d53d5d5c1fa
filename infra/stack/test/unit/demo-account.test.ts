import t from 'tap'
import { gainsOf } from '@tacet/audio'
import { createSignal } from '@tacet/test-kit'
import type { AudioSource, SentPacket } from '@tacet/test-kit'
import { account, presentMs, sentMs, unexplainedMs, voiceOf } from '../../src/demo/account.ts'
import { speechSource } from '../../src/demo/voices.ts'

const epochMs = 1_800_000_000_000
const second = 8000
const callSeconds = 8

/** Half a second of a voice, half a second of listening, and so on; between the pieces only hiss. */
const tone = (frequency: number) => Int16Array.from({ length: callSeconds * second }, (_, i) =>
  Math.floor(i / 4000) % 2 === 0 ? Math.round(9000 * Math.sin(2 * Math.PI * frequency * i / second)) : 0)

const sent = (source: AudioSource): SentPacket[] => Array.from({ length: callSeconds * 50 }, (_, number) => ({
  number, source: source.name, firstSample: number * 160, sentAtMs: epochMs + number * 20,
}))
const talker = (name: string, source: AudioSource) => voiceOf(name, sent(source), [source])
const agent = talker('agent', speechSource('agent', tone(220), 1))
const customer = talker('customer', speechSource('customer', tone(330).toReversed(), 2))
const both = [agent, customer]

/** What the PBX would write of samples [from, to) of the call; the customer's audio comes 24 samples later. */
const recorded = (from: number, to: number, voices = both): number[] => Array.from({ length: to - from }, (_, i) =>
  voices.reduce((sum, voice) => sum + voice.samples[from + i + (voice === customer ? 24 : 0)]!, 0))

// Recorded from 0.5 to 3 s and from 5 to 7.5 s.
const pauseFrom = 3 * second
const pauseTo = 5 * second
const before = recorded(0.5 * second, pauseFrom)
const after = recorded(pauseTo, 7.5 * second)
const whilePaused = ({ sentAtMs }: SentPacket) => sentAtMs >= epochMs + 3020 && sentAtMs < epochMs + 4980
const leaks = (samples: number[]) => {
  const found = account(Int16Array.from(samples), both)
  return { agent: presentMs(found, agent, whilePaused), customer: presentMs(found, customer, whilePaused), unexplained: unexplainedMs(found) }
}

t.test('a recording without what was said while paused is accounted for to the sample', async t => {
  const found = account(Int16Array.from([...before, ...after]), both)
  t.same(found.unexplained, [])
  t.same(found.runs.map(({ voice, lag }) => [voice.name, lag]), [
    ['agent', 0.5 * second], ['customer', 0.5 * second + 24], ['agent', 2.5 * second], ['customer', 2.5 * second + 24],
  ])
  // One sample may look like its neighbour of the other side by chance.
  for (const { from, to } of found.runs) t.ok(Math.min(Math.abs(from - 2.5 * second), Math.abs(to - 2.5 * second)) <= 2, `${from} to ${to}`)
  t.same(leaks([...before, ...after]), { agent: 0, customer: 0, unexplained: 0 })
})

t.test('a recording that is faded where it was joined is accounted for all the same, and a leak there shows', async t => {
  const fades = [{ samples: before.length, fadeInSamples: 0, fadeOutSamples: 40 }, { samples: after.length, fadeInSamples: 40, fadeOutSamples: 0 }]
  const gains = fades.flatMap(fade => [...gainsOf(fade)])
  const faded = Int16Array.from([...before, ...after], (sample, i) => Math.round(sample * gains[i]!))
  const found = account(faded, both, i => gains[i]!)
  t.same([presentMs(found, agent, whilePaused), presentMs(found, customer, whilePaused), unexplainedMs(found)], [0, 0, 0])
  const leaking = [...faded.subarray(0, before.length), ...recorded(pauseFrom + 1000, pauseFrom + 1160), ...faded.subarray(before.length)]
  const gainsWithLeak = [...gains.slice(0, before.length), ...Array<number>(160).fill(1), ...gains.slice(before.length)]
  const leaked = account(Int16Array.from(leaking), both, i => gainsWithLeak[i]!)
  t.ok(presentMs(leaked, agent, whilePaused) + unexplainedMs(leaked) >= 19)
})

t.test('20 ms of the pause are found wherever they come from, in speech or in hiss', async t => {
  for (let at = pauseFrom + 200; at < pauseTo - 400; at += 3511) {
    const found = leaks([...before, ...recorded(at, at + 160), ...after])
    t.ok(found.agent + found.unexplained >= 19, `the agent's 20 ms of sample ${at}`)
    t.ok(found.customer + found.unexplained >= 19, `the customer's 20 ms of sample ${at}`)
  }
})

t.test('of one party alone, too', async t => {
  const found = leaks([...before, ...recorded(pauseFrom + 1000, pauseFrom + 1160, [customer]), ...after])
  t.equal(found.customer, 20)
  t.equal(found.agent, 0)
})

t.test('a scrap too short to be placed is reported as unexplained', async t => {
  const { agent, customer, unexplained } = leaks([...before, ...recorded(pauseFrom + 1000, pauseFrom + 1040), ...after])
  t.ok(unexplained >= 4.5 || agent + customer >= 4.5)
})

t.test('a pause that came 100 ms late, or was lifted 100 ms early, shows', async t => {
  const late = leaks([...recorded(0.5 * second, pauseFrom + 800), ...after])
  t.ok(Math.abs(late.agent - 80) <= 1 && Math.abs(late.customer - 83) <= 1, JSON.stringify(late))
  const early = leaks([...before, ...recorded(pauseTo - 800, 7.5 * second)])
  t.ok(Math.abs(early.agent - 80) <= 1 && Math.abs(early.customer - 77) <= 1, JSON.stringify(early))
})

t.test('a sound that nobody sent is unexplained', async t => {
  const stranger = createSignal({ seed: 3 }).read(0, 400)
  t.ok(leaks([...before, ...stranger, ...after]).unexplained >= 49)
})

t.test('what is missing is missed', async t => {
  const [hole, end] = [1.2 * second, 1.2 * second + 320]
  const found = account(Int16Array.from([...recorded(0.5 * second, hole), ...recorded(end, 7.5 * second)]), both)
  const recordedTime = ({ sentAtMs }: SentPacket) => sentAtMs >= epochMs + 520 && sentAtMs < epochMs + 7480
  t.equal(sentMs(agent, recordedTime) - presentMs(found, agent, recordedTime), 40)
  t.equal(unexplainedMs(found), 0)
})

t.test('a party whose packet came late is followed to its new place', async t => {
  const delayed = Array.from(after, (sample, i) => i < second ? sample : agent.samples[pauseTo + i]! + customer.samples[pauseTo + i + 24 - 160]!)
  t.same(leaks([...before, ...delayed]), { agent: 0, customer: 0, unexplained: 0 })
})

t.test('whoever is not there for a packet is not found somewhere by chance', async t => {
  for (let at = 0.5 * second; at < 2 * second; at += 977) {
    const samples = [...recorded(at, at + 160, [agent]), ...recorded(at + 160, pauseFrom), ...recorded(pauseTo, pauseTo + 160, [customer]), ...after.slice(160)]
    t.same(leaks(samples), { agent: 0, customer: 0, unexplained: 0 })
  }
})
