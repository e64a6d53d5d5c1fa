import t from 'tap'
import type { Cycle } from './cycles.ts'
import type { Leak } from './judge.ts'
import type { JudgedCall } from './round.ts'
import { createTally, seenStalls } from './tally.ts'

const pressed = { requestedAtMs: 0, answeredAtMs: 0 }
const cycles = [{ paused: pressed, resumed: { ...pressed, requestedAtMs: 400 }, isStalled: true }, { paused: pressed, isStalled: false }] as Cycle[]
/** One pause and resume, and a pause more; of four packets two were lost. */
const call = (callId: string, leaks: Leak[] = []): JudgedCall => ({
  talk: { callId, voices: [{ name: 'customer', sentPackets: [{ number: 1, sentAtMs: 20 }, { number: 3, sentAtMs: 320 }] }] },
  cycles,
  segments: [{ number: 1, samples: 8000, spans: [], leaks: [] }, { number: 2, samples: 8000, spans: [], leaks }],
  timeline: { segments: [{ number: 1 }, { number: 2 }] },
  manifest: { segments: [{ number: 1, requestedAt: new Date(0).toISOString() }, { number: 2, requestedAt: new Date(0).toISOString() }] },
}) as unknown as JudgedCall

t.test('it tells how far a run is, and how long the rest will take', async t => {
  const tally = createTally(4)
  tally.add([call('a')])
  t.equal(tally.progress(60_000), '1 pauses and resumes, 1 with a stall, 2 packets lost on the way, worst leak 0 ms; about 3.0 minutes left')
  tally.add([call('b'), call('c'), call('d')])
  t.match(tally.progress(240_000), 'about 0.0 minutes left')
  t.match(tally.summary(), /^4 pauses and resumes, .*; 4 pauses more, 8 s recorded/)
})

t.test('of all leaks it names the worst, and where that is', async t => {
  const tally = createTally(2)
  tally.add([call('a', [{ segment: 2, voice: 'customer', silence: 1, ms: 20 }]), call('b')])
  tally.add([call('c', [{ segment: 2, voice: 'customer', silence: 1, ms: 2.5 }])])
  t.match(tally.summary(), 'worst leak 20 ms, of customer in pause 1, in segment 2 of a;')
})

t.test('a stall counts only where packets were late', async t => {
  const { talk, ...rest } = call('a')
  t.equal(seenStalls({ talk, ...rest }).length, 1)
  for (const packet of talk.voices[0]!.sentPackets) packet.sentAtMs /= 5
  t.equal(seenStalls({ talk, ...rest }).length, 0)
})
