import { samplesPerPacket } from '../media/rtp.ts'
import type { SentPacket } from '../media/rtp.ts'
import type { Located, Party } from './locate.ts'

const samplesPerMs = 8
/** Where a voice begins and ends is known to so many samples: noise may fit by chance. Asterisk writes frames of 160. */
const edgeSamples = 8

/** A time span in epoch milliseconds, `toMs` not included. */
export interface TimeRange { fromMs: number, toMs: number }

/** When what is in the recording of this party was sent: ranges in order of time. Sample k of a packet counts as sent k/8 ms after the packet. */
export function heard (located: Located, name: string): TimeRange[] {
  const ranges: TimeRange[] = []
  let continuesAt: number | undefined
  for (const { packet, from, to } of pieces(partyOf(located, name))) {
    const last = ranges.at(-1)
    const toMs = packet.sentAtMs + to / samplesPerMs
    if (last && packet.firstSample + from === continuesAt) last.toMs = Math.max(last.toMs, toMs)
    else ranges.push({ fromMs: packet.sentAtMs + from / samplesPerMs, toMs })
    continuesAt = packet.firstSample + to
  }
  return ranges
}

/** Milliseconds of audio from packets sent in [fromMs, toMs) that are in the recording, of each packet more than the edge of its neighbour may be off. */
export function leaked (located: Located, name: string, fromMs: number, toMs: number): number {
  return found(located, name, fromMs, toMs, edgeSamples)
}

function found (located: Located, name: string, fromMs: number, toMs: number, slivers: number): number {
  let samples = 0
  for (const { packet, from, to } of pieces(partyOf(located, name))) {
    if (packet.sentAtMs >= fromMs && packet.sentAtMs < toMs && to - from > slivers) samples += to - from
  }
  return samples / samplesPerMs
}

/** Milliseconds of audio from packets sent in [fromMs, toMs) that are not in the recording. */
export function missing (located: Located, name: string, fromMs: number, toMs: number): number {
  const party = partyOf(located, name)
  const sent = packetsOf(party).filter(({ sentAtMs }) => sentAtMs >= fromMs && sentAtMs < toMs).length * samplesPerPacket
  return sent / samplesPerMs - found(located, name, fromMs, toMs, 0)
}

function partyOf ({ parties }: Located, name: string): Party {
  const party = parties.find(candidate => candidate.name === name)
  if (!party) throw new Error(`no source is named ${name}`)
  return party
}

function packetsOf ({ signal, sentPackets }: Party): SentPacket[] {
  return sentPackets.filter(({ source }) => source === signal.name)
}

/** What of each packet is in the recording, each sample once, in the order they were sent. */
function * pieces (party: Party): Generator<{ packet: SentPacket, from: number, to: number }> {
  const present = union(party.tracks.map(({ from, to, lag }) => ({ from: from + lag, to: to + lag })))
  let at = 0
  for (const packet of packetsOf(party).toSorted((a, b) => a.firstSample - b.firstSample)) {
    const end = packet.firstSample + samplesPerPacket
    while (at < present.length && present[at]!.to <= packet.firstSample) at++
    for (let i = at; i < present.length && present[i]!.from < end; i++) {
      yield { packet, from: Math.max(0, present[i]!.from - packet.firstSample), to: Math.min(samplesPerPacket, present[i]!.to - packet.firstSample) }
    }
  }
}

function union (ranges: { from: number, to: number }[]): { from: number, to: number }[] {
  const merged: { from: number, to: number }[] = []
  for (const range of ranges.toSorted((a, b) => a.from - b.from)) {
    const last = merged.at(-1)
    if (last && range.from <= last.to) last.to = Math.max(last.to, range.to)
    else merged.push({ ...range })
  }
  return merged
}
