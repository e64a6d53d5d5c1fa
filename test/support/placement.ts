import { toneOf } from '@tacet/audio'
import type { Timeline } from '@tacet/contracts'
import { l16, locate, pcmu, type Codec, type Party } from '@tacet/test-kit'
import type { Test } from 'tap'
import { stalledMs, type Proof } from './proof.ts'
import type { Voice } from './talk.ts'

/** At the edges of a segment, the network's and a busy machine's. */
const toleranceMs = 250
/** -15 to 21 ms on a quiet machine. */
const usualMs = 80

/** When the sample of a channel was sent by the party that is heard there; undefined where nobody is. */
function sentAt ({ tracks, sentPackets, signal }: Party, sample: number): number | undefined {
  const track = tracks.find(({ from, to }) => sample >= from && sample < to)
  if (track === undefined) return undefined
  const spoken = sample + track.lag
  const packet = sentPackets.find(({ source, firstSample }) => source === signal.name && firstSample === spoken - spoken % 160)
  return packet && packet.sentAtMs + spoken % 160 / 8
}

export interface PlacementOptions {
  /** Nothing on the way changed a sample: each has the value that was sent. */
  isLossless?: boolean
}

/** Every sample is where the timeline says: fills hold what they are called, and whoever is heard in a segment was sent while it was open. */
export function checkPlacement (t: Test, proof: Pick<Proof, 'timeline' | 'channels'>, heard: Voice[][], { isLossless = false }: PlacementOptions = {}): void {
  for (const samples of proof.channels) checkFills(t, proof.timeline, samples)
  const { timeline, channels } = atEightKilohertz(proof)
  for (const [index, samples] of channels.entries()) {
    const { parties } = locate(samples, heard[index] ?? [])
    for (const party of parties) checkSegments(t, timeline, party)
    if (isLossless) checkValues(t, timeline, index, samples, parties)
  }
  if (timeline.channels === 2) checkSync(t, timeline, channels, heard)
}

/** The phones send each sample twice on a wideband leg: every other one is the signal, and nothing is lost by taking only those. */
export function atEightKilohertz ({ timeline, channels }: Pick<Proof, 'timeline' | 'channels'>): Pick<Proof, 'timeline' | 'channels'> {
  const factor = timeline.sampleRateHz / 8000
  if (factor === 1) return { timeline, channels }
  const scaled = <Stretch extends { offsetSamples: number, samples: number }>(stretch: Stretch): Stretch => ({ ...stretch, offsetSamples: stretch.offsetSamples / factor, samples: stretch.samples / factor })
  const faded = <Stretch extends { fadeInSamples: number, fadeOutSamples: number }>(stretch: Stretch): Stretch => ({ ...stretch, fadeInSamples: stretch.fadeInSamples / factor, fadeOutSamples: stretch.fadeOutSamples / factor })
  const segments = timeline.segments.map(segment => ({
    ...faded(scaled(segment)),
    tracks: segment.tracks.map(track => ({ ...faded(track), samples: Math.floor(track.samples / factor), leadSamples: Math.ceil(track.leadSamples / factor) })),
  }))
  return {
    timeline: { ...timeline, sampleRateHz: 8000, samples: timeline.samples / factor, segments, fills: timeline.fills.map(scaled) },
    channels: channels.map(samples => Int16Array.from({ length: samples.length / factor }, (_, i) => samples[i * factor]!)),
  }
}

/** Whatever was narrower than 16 kHz on the way, the two samples of a pair would differ by much more (0.73, were it 8 kHz). */
export function checkWideband (t: Test, { timeline: { segments }, channels }: Pick<Proof, 'timeline' | 'channels'>, codec: Codec): void {
  for (const samples of channels) {
    let [power, difference] = [0, 0]
    for (const { offsetSamples, samples: count } of segments) {
      for (let i = offsetSamples + 200; i + 1 < offsetSamples + count - 200; i += 2) {
        power += samples[i]! ** 2
        difference += (samples[i]! - samples[i + 1]!) ** 2
      }
    }
    const ratio = difference / power
    t.ok(ratio < (codec === l16 ? 0.001 : 0.15), `the samples of a pair differ by ${ratio.toFixed(4)} of their power`)
  }
}

function checkFills (t: Test, { fills, sampleRateHz, gapMode }: Timeline, samples: Int16Array): void {
  for (const { kind, offsetSamples, samples: count } of fills) {
    t.equal(kind, gapMode)
    const found = samples.subarray(offsetSamples, offsetSamples + count)
    const expected = kind === 'silence' ? new Int16Array(count) : toneOf(count, sampleRateHz, 1)
    t.ok(Buffer.from(found).equals(Buffer.from(expected)), `there is ${kind} from sample ${offsetSamples} on`)
  }
}

function checkSegments (t: Test, { segments, originAt }: Timeline, party: Party): void {
  for (const { from, to } of party.tracks) {
    const inside = segments.some(({ offsetSamples, samples }) => from < offsetSamples + samples && to > offsetSamples)
    t.ok(inside, `${party.name} at ${from} to ${to} is in a segment`)
  }
  for (const segment of segments.filter(({ samples }) => samples > 1600)) {
    const { number, startedAt, endedAt, offsetSamples } = segment
    const packets = packetsIn(party, segment)
    t.ok(packets.length * 160 >= segment.samples / 2, `${party.name} is heard in segment ${number}`)
    const [from, to] = [Date.parse(startedAt), Date.parse(endedAt)]
    const beside = packets.filter(({ place, sentAtMs }) => Math.abs(sentAtMs - from - (place - offsetSamples) / 8) >= toleranceMs)
    t.same(beside, [], `what ${party.name} said is where segment ${number} says that it is`)
    const late = packets.map(({ place, sentAtMs }) => from + (place - offsetSamples) / 8 - sentAtMs).sort((one, other) => one - other)
    const medianMs = late[late.length >> 1] ?? NaN
    t.ok(Math.abs(medianMs) <= usualMs, `half of it to ${Math.round(medianMs)} ms`)
    t.same(packets.filter(({ sentAtMs }) => sentAtMs >= to || sentAtMs <= from - toleranceMs), [], `and was sent while segment ${number} was open`)
    if (originAt !== null) t.same(packets.filter(({ place, sentAtMs }) => Math.abs(sentAtMs - Date.parse(originAt) - place / 8) >= toleranceMs), [], 'and is at its time in the call')
  }
}

/** Every packet that is heard in the segment: within one, places and times run alike, so this stands for each of its samples. */
function packetsIn (party: Party, { offsetSamples, samples }: Timeline['segments'][number]): { place: number, sentAtMs: number }[] {
  return party.tracks.flatMap(track => {
    const [from, to] = [Math.max(track.from, offsetSamples), Math.min(track.to, offsetSamples + samples)]
    const first = from + (160 - (from + track.lag) % 160) % 160
    const places = Array.from({ length: Math.max(0, Math.ceil((to - first) / 160)) }, (_, index) => first + 160 * index)
    return places.flatMap(place => {
      const sentAtMs = sentAt(party, place)
      return sentAtMs === undefined ? [] : [{ place, sentAtMs }]
    })
  })
}

/** Of where a track ends the ear may err by this. */
const earSamples = 8

/** Wherever it is known what everybody says, a sample is the sum of that, but for the fades that the timeline names. */
function checkValues (t: Test, { segments }: Timeline, channel: number, samples: Int16Array, parties: Party[]): void {
  const said = parties.map(({ signal, tracks }) => {
    const values = new Map<number, number>()
    for (const { from, to, lag } of tracks.filter(({ from, to }) => to - from > 2 * earSamples)) {
      const [first, count] = [from + earSamples, to - from - 2 * earSamples]
      pcmu.decode(pcmu.encode(signal, first + lag, count)).forEach((value, i) => values.set(first + i, value))
    }
    return values
  })
  for (const { number, offsetSamples, samples: count, fadeInSamples, fadeOutSamples, tracks } of segments.filter(({ samples }) => samples > 1600)) {
    const { leadSamples: lead, ...own } = tracks[channel] ?? { leadSamples: 0, samples: count, fadeInSamples: 0, fadeOutSamples: 0 }
    const from = Math.max(fadeInSamples, lead + own.fadeInSamples)
    const to = Math.min(count - fadeOutSamples, lead + own.samples - own.fadeOutSamples)
    const places = Array.from({ length: to - from }, (_, i) => offsetSamples + from + i)
    const known = places.filter(place => said.every(values => values.has(place)))
    t.ok(known.length > count / 2, `${known.length} of the ${count} samples of segment ${number} are known`)
    const others = known.filter(place => samples[place] !== said.reduce((sum, values) => sum + values.get(place)!, 0))
    t.same(others.slice(0, 10), [], 'each of them is as it was sent')
  }
}

/**
 * What both sides said at one time is at one place: to 20 ms in the best segment, and a packet more in any, as one that a busy
 * machine loses on one side moves that side for a while; so does a phone that was held up.
 */
function checkSync (t: Test, { segments }: Timeline, channels: Int16Array[], heard: Voice[][]): void {
  const [left, right] = channels.map((samples, index) => locate(samples, heard[index] ?? []).parties[0]!)
  const apart = segments.flatMap(({ offsetSamples, samples, startedAt, endedAt }) => {
    const places = Array.from({ length: 20 }, (_, i) => offsetSamples + Math.floor(samples * (i + 0.5) / 20))
    const differences = places.map(place => Math.abs((sentAt(left!, place) ?? NaN) - (sentAt(right!, place) ?? NaN))).filter(Number.isFinite)
    const range = { fromMs: Date.parse(startedAt), toMs: Date.parse(endedAt) }
    const putOffMs = 3 * heard.flat().reduce((sum, voice) => sum + stalledMs(voice, range), 0)
    return differences.length < 10 ? [] : [Math.max(0, differences.sort((a, b) => a - b)[differences.length >> 1]! - putOffMs)]
  })
  t.comment(`the sides are ${apart.map(Math.round).join(', ')} ms apart`)
  t.ok(Math.min(...apart) <= 20, 'the sides are at most 20 ms apart')
  t.ok(Math.max(...apart) <= 45, 'and in no segment more than a packet more')
}
