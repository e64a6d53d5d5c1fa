import { decodeMuLaw, encodeMuLaw } from '../media/mulaw.ts'
import { samplesPerPacket } from '../media/rtp.ts'
import type { SentPacket } from '../media/rtp.ts'
import type { AudioSource } from '../media/sources.ts'
import { createSearch } from './search.ts'
import type { Search } from './search.ts'

export interface Source {
  name: string
  signal: AudioSource
  sentPackets: SentPacket[]
}

/** Samples [from, to) of the recording are the source's samples from `from + lag` on, `gain` times as loud. */
export interface Track extends Run {
  lag: number
  gain: number
}
interface Run { from: number, to: number }

export interface Party extends Source {
  tracks: Track[]
}

/** What 20 ms of recording hold of one party: nothing, one run of samples, or several (a join). */
export interface Hit {
  name: string
  firstSample: number
  samples: number
  /** The packet its first sample travelled in. */
  packet: SentPacket | undefined
}

export interface Located {
  parties: Party[]
  /** One for each 20 ms of the recording, in order. */
  stretches: { fromSample: number, hits: Hit[] }[]
}

type Pass = { length: number, hop: number, minCorrelation: number }
interface Reference { samples: Float64Array, power: number, tracks: Track[], searches: Map<number, Search> }

const passes: Pass[] = [
  { length: 2000, hop: 1000, minCorrelation: 0.25 },
  { length: samplesPerPacket, hop: samplesPerPacket / 2, minCorrelation: 0.5 },
]
// Below this RMS there is nothing left to explain: what µ-law and a transcoding leave over is a third of it.
const floorRms = 200
// A track ends where this many samples' worth of evidence speaks against it, more where others are louder; a lost packet (160) splits it in two.
const patience = 60
const patienceWithNoise = 24
const minTrackSamples = 24
const minGain = 0.3

/**
 * Finds in a recording (8 kHz) every stretch of the sources' signals.
 * What was found is subtracted before the rest is searched, so parties may speak at the same time and a leak under another's voice shows.
 */
export function locate (recording: Int16Array, sources: Source[]): Located {
  const residual = Float64Array.from(recording)
  const references = sources.map(toReference)
  for (const pass of passes) {
    for (let from = 0; from < recording.length; from += 2 * pass.hop) {
      const starts = [from, from + pass.hop]
      // First what goes on as before, of all of them: searching costs most, and often nothing is left then to be searched for.
      for (const reference of references) followOn(residual, reference, pass, starts)
      for (const reference of references) seek(residual, reference, pass, starts)
    }
    refine(residual, references)
  }
  const parties = sources.map((source, i) => ({ ...source, tracks: join(references[i]?.tracks ?? []) }))
  return { parties, stretches: toStretches(recording.length, parties) }
}

function toReference ({ signal, sentPackets }: Source): Reference {
  const mine = sentPackets.filter(({ source }) => source === signal.name)
  const length = mine.reduce((max, { firstSample }) => Math.max(max, firstSample + samplesPerPacket), 0)
  const samples = Float64Array.from(decodeMuLaw(encodeMuLaw(signal.read(0, length))))
  return { samples, power: samples.reduce((sum, x) => sum + x * x, 0) / Math.max(1, length), tracks: [], searches: new Map() }
}

function followOn (residual: Float64Array, reference: Reference, { length }: Pass, starts: number[]): void {
  for (const start of starts) {
    const lag = reference.tracks.at(-1)?.lag
    if (lag !== undefined && rms(residual, start, length) > floorRms) claim(residual, reference, start, length, lag)
  }
}

function seek (residual: Float64Array, reference: Reference, { length, minCorrelation }: Pass, starts: number[]): void {
  if (reference.samples.length === 0 || starts.every(start => rms(residual, start, length) <= floorRms)) return
  let search = reference.searches.get(length)
  if (!search) reference.searches.set(length, search = createSearch(reference.samples, length))
  const window = (start: number) => Float64Array.from({ length }, (_, i) => residual[start + i] ?? 0)
  const matches = search([window(starts[0]!), window(starts[1]!)])
  for (const [i, match] of matches.entries()) {
    if (match.correlation >= minCorrelation) claim(residual, reference, starts[i]!, length, match.index - starts[i]!)
  }
}

/** Takes the best run at this lag around the window, if there is one, out of the residual. */
function claim (residual: Float64Array, reference: Reference, start: number, length: number, lag: number): void {
  const track = follow(residual, reference, { from: start, to: start + length, lag })
  if (!track || !isSignificant(residual, reference, track)) return
  subtract(residual, reference, track, 1)
  reference.tracks.push(track)
}

/** The extent and the loudness of what lies at this lag in and around [from, to). */
function follow (residual: Float64Array, reference: Reference, { from, to, lag }: Run & { lag: number }): Track | undefined {
  const gainOver = (run: Run) => project(residual, reference, { ...run, lag }).gain
  const gain = gainOver({ from, to })
  if (gain < minGain / 8) return undefined
  const run = bestRun(residual, reference, { from, to, lag, gain })
  if (!run) return undefined
  const grown = grow(residual, reference, { ...run, lag, gain: gainOver(run) })
  const track = { ...grown, lag, gain: gainOver(grown) }
  return track.gain >= minGain && track.to - track.from >= minTrackSamples ? track : undefined
}

/** How much energy it takes away from a sample to explain it by the reference; about minus the reference's power where it is absent. */
function benefit (residual: Float64Array, { samples }: Reference, at: number, { lag, gain }: Track): number {
  const r = gain * (samples[at + lag] ?? 0)
  return r * (2 * residual[at]! - r)
}

/** The run of samples within the track's bounds with the greatest total benefit. */
function bestRun (residual: Float64Array, reference: Reference, track: Track): Run | undefined {
  let best = 0
  let run: Run | undefined
  let sum = 0
  let since = Math.max(track.from, -track.lag, 0)
  const end = Math.min(track.to, residual.length, reference.samples.length - track.lag)
  for (let at = since; at < end; at++) {
    sum += benefit(residual, reference, at, track)
    if (sum <= 0) {
      sum = 0
      since = at + 1
    } else if (sum > best) {
      best = sum
      run = { from: since, to: at + 1 }
    }
  }
  return run
}

function grow (residual: Float64Array, reference: Reference, track: Track): Run {
  const { correlation } = project(residual, reference, track)
  const ownPower = reference.power * track.gain ** 2
  const initialNoise = ownPower * (1 / correlation ** 2 - 1)
  const walk = (start: number, step: 1 | -1, isInside: (at: number) => boolean) => {
    let edge = start
    let best = 0
    let sum = 0
    let noise = initialNoise
    for (let at = start; isInside(at) && sum > best - patience * ownPower - patienceWithNoise * noise; at += step) {
      const explained = benefit(residual, reference, at, track)
      sum += explained
      noise += ((residual[at]! ** 2 - explained) - noise) / 100
      if (sum > best) {
        best = sum
        edge = at + step
      }
    }
    return edge
  }
  const end = Math.min(residual.length, reference.samples.length - track.lag)
  return {
    from: walk(track.from - 1, -1, at => at >= Math.max(0, -track.lag)) + 1,
    to: walk(track.to, 1, at => at < end),
  }
}

/** Six standard deviations from chance, whatever else is in the residual there. */
function isSignificant (residual: Float64Array, reference: Reference, track: Track): boolean {
  const { correlation } = project(residual, reference, track)
  return correlation > 0.4 && correlation * Math.sqrt(track.to - track.from) > (correlation > 0.95 ? 4.5 : 6)
}

function project (residual: Float64Array, { samples }: Reference, { from, to, lag }: Run & { lag: number }): { gain: number, correlation: number } {
  let product = 0
  let recorded = 0
  let expected = 0
  for (let at = Math.max(0, from); at < Math.min(to, residual.length); at++) {
    const r = samples[at + lag] ?? 0
    product += r * residual[at]!
    recorded += residual[at]! ** 2
    expected += r * r
  }
  return { gain: product / (expected || 1), correlation: product / Math.sqrt(recorded * expected || 1) }
}

/** Finds each track's edges again, now that the other parties are out of the way. */
function refine (residual: Float64Array, references: Reference[]): void {
  for (const reference of references) {
    const before = reference.tracks.splice(0).sort((a, b) => a.from - b.from)
    for (const track of before) {
      subtract(residual, reference, track, -1)
      const again = follow(residual, reference, track)
      if (!again) continue
      subtract(residual, reference, again, 1)
      reference.tracks.push(again)
    }
  }
}

function subtract (residual: Float64Array, { samples }: Reference, { from, to, lag, gain }: Track, sign: 1 | -1): void {
  for (let at = from; at < to; at++) residual[at] = residual[at]! - sign * gain * (samples[at + lag] ?? 0)
}

function rms (samples: Float64Array, from: number, length: number): number {
  let sum = 0
  for (let at = from; at < from + length; at++) sum += (samples[at] ?? 0) ** 2
  return Math.sqrt(sum / length)
}

/** Puts tracks in order and makes one of neighbours that continue each other. */
function join (tracks: Track[]): Track[] {
  const joined: Track[] = []
  for (const track of tracks.toSorted((a, b) => a.from - b.from)) {
    const last = joined.at(-1)
    if (last && last.lag === track.lag && track.from <= last.to + 8) last.to = Math.max(last.to, track.to)
    else joined.push({ ...track })
  }
  return joined
}

function toStretches (length: number, parties: Party[]): Located['stretches'] {
  const count = Math.ceil(length / samplesPerPacket)
  const stretches: Located['stretches'] = Array.from({ length: count }, (_, i) => ({ fromSample: i * samplesPerPacket, hits: [] }))
  for (const { name, signal, sentPackets, tracks } of parties) {
    const packets = new Map(sentPackets.filter(({ source }) => source === signal.name).map(packet => [packet.firstSample, packet]))
    for (const { from, to, lag } of tracks) {
      for (let i = Math.floor(from / samplesPerPacket); i * samplesPerPacket < to; i++) {
        const start = Math.max(from, i * samplesPerPacket)
        const end = Math.min(to, (i + 1) * samplesPerPacket)
        const firstSample = start + lag
        stretches[i]?.hits.push({ name, firstSample, samples: end - start, packet: packets.get(firstSample - firstSample % samplesPerPacket) })
      }
    }
  }
  return stretches
}
