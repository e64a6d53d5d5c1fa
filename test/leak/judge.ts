import { leaked, locate, samplesPerPacket, type Located, type SentPacket } from '@tacet/test-kit'
import type { Talk, Voice } from '../support/talk.ts'
import type { SegmentFile } from './spool.ts'

/** What one segment holds, by the packets that its audio came in. Times in epoch milliseconds. */
export interface JudgedSegment {
  number: number
  samples: number
  leaks: Leak[]
  /** Of all packets, and of those that left while the call was surely recorded: the least of all voices. */
  heardMs: number
  /** Of what left while the call was recorded into this one: the least of all voices. A phone that was held up itself said little. */
  saidMs: number
  recordedMs: number
  spans: Span[]
}

type Spoken = Pick<Talk, 'voices' | 'silent' | 'recorded'>

/** So much of packets that left in one silence of the call, counted from 1, is in this segment. */
export interface Leak { segment: number, voice: string, silence: number, ms: number }

/** Where one voice lies in a segment. */
export interface Span {
  voice: string
  /** What of the voice is in it: from this sample of hers to before that. */
  heardFrom: number
  heardTo: number
  /** When the segment's own first and last sample would have left, counted from those. */
  startedAtMs: number
  endedAtMs: number
}

/** So much silence is put between segments, that none is taken for the continuation of another. */
const gapSamples = 1600

/** Looks for all voices of the call, from its first to its last packet, in each of its segments. */
export function judgeSegments (talk: Spoken, files: Pick<SegmentFile, 'number' | 'samples'>[]): JudgedSegment[] {
  const strung = new Int16Array(files.reduce((sum, { samples }) => sum + samples.length + gapSamples, 0))
  let length = 0
  const places = files.map(({ number, samples }) => {
    const place = { number, from: length, to: length + samples.length }
    strung.set(samples, length)
    length = place.to + gapSamples
    return place
  })
  const located = locate(strung, talk.voices)
  return places.map(({ number, from, to }) => judgeSegment(talk, number, cut(located, from, to), to - from))
}

function cut ({ parties }: Located, from: number, to: number): Located {
  const cutOut = parties.map(party => ({
    ...party,
    tracks: party.tracks.filter(track => track.from < to && track.to > from).map(track => ({
      ...track, from: Math.max(track.from, from) - from, to: Math.min(track.to, to) - from, lag: track.lag + from,
    })),
  }))
  return { parties: cutOut, stretches: [] }
}

function judgeSegment ({ voices, silent, recorded }: Spoken, number: number, located: Located, samples: number): JudgedSegment {
  const leaks = voices.flatMap(({ name }) => silent.map(({ fromMs, toMs }, index): Leak => ({ segment: number, voice: name, silence: index + 1, ms: leaked(located, name, fromMs, toMs) })))
  return {
    number,
    samples,
    leaks: leaks.filter(({ ms }) => ms > 0),
    heardMs: Math.min(...voices.map(({ name }) => leaked(located, name, -Infinity, Infinity))),
    saidMs: Math.min(...voices.map(({ sentPackets }) => saidIn(sentPackets, recorded[number - 1]))),
    recordedMs: Math.min(...voices.map(({ name }) => recorded.reduce((sum, { fromMs, toMs }) => sum + leaked(located, name, fromMs, toMs), 0))),
    spans: voices.flatMap(voice => spanOf(located, voice, samples)),
  }
}

function saidIn (sentPackets: SentPacket[], { fromMs, toMs } = { fromMs: -Infinity, toMs: Infinity }): number {
  return sentPackets.filter(({ sentAtMs }) => sentAtMs >= fromMs && sentAtMs < toMs).length * samplesPerPacket / 8
}

function spanOf (located: Located, { name, sentPackets }: Voice, samples: number): Span[] {
  const tracks = located.parties.find(party => party.name === name)?.tracks ?? []
  const [first, last] = [tracks[0], tracks.at(-1)]
  if (first === undefined || last === undefined) return []
  const packets = new Map(sentPackets.map(packet => [packet.firstSample, packet]))
  return [{
    voice: name,
    heardFrom: Math.min(...tracks.map(({ from, lag }) => from + lag)),
    heardTo: Math.max(...tracks.map(({ to, lag }) => to + lag)),
    startedAtMs: leftAt(packets, first.from + first.lag) - first.from / 8,
    endedAtMs: leftAt(packets, last.to - 1 + last.lag) + (samples - last.to + 1) / 8,
  }]
}

function leftAt (packets: Map<number, SentPacket>, sample: number): number {
  const within = sample % samplesPerPacket
  return (packets.get(sample - within)?.sentAtMs ?? NaN) + within / 8
}
