import { stalledMs } from '../support/proof.ts'
import type { Voice } from '../support/talk.ts'
import { tickMs, type Metronome } from './metronome.ts'
import type { JudgedCall } from './round.ts'

/** One end of a voice in a segment. */
export interface Edge {
  where: string
  /** By how much it is off. */
  ms: number
  /** How late the machine was seen to be during this segment: others had the processor, or the phone sent late. */
  delayMs: number
  /** By how much that can have put it off. */
  delayedMs: number
  /** How long the command waited until it was stored: nothing was promised yet. */
  storingMs: number
}

export interface Verdict {
  medianMs: number
  mostMs: number
  /** Off by more than the limit. */
  late: Edge[]
  /** Those of them that are off by more than what was late can explain. */
  inexcusable: Edge[]
  /** Those for which the machine was not seen to be late. */
  unexplained: Edge[]
  /** A disk has its moments, and delays below a tick are not seen; but now and then, not always. */
  isTooOften: boolean
}

const packetMs = 20
const samplesPerMs = 8
const unexplainedShare = 0.1
/** A recorder that gets a burst drops what it had queued: up to three times what it waited. */
const putOff = 3
/** Beyond that only what was seen itself is an explanation. */
const mostPutOffMs = 300

const delayedBy = (delayMs: number): number => Math.max(delayMs, Math.min(mostPutOffMs, putOff * Math.max(tickMs, delayMs)))

export function judgeEdges (edges: Edge[], limitMs: number): Verdict {
  const sorted = edges.map(({ ms }) => Math.abs(ms)).sort((a, b) => a - b)
  const late = edges.filter(({ ms }) => Math.abs(ms) > limitMs)
  const unexplained = late.filter(edge => edge.delayMs === 0 || Math.abs(edge.ms) > limitMs + edge.delayedMs)
  return {
    medianMs: sorted[Math.floor(sorted.length / 2)] ?? NaN,
    mostMs: sorted.at(-1) ?? NaN,
    late,
    inexcusable: late.filter(edge => Math.abs(edge.ms) > limitMs + edge.delayedMs + edge.storingMs),
    unexplained,
    isTooOften: unexplained.length > unexplainedShare * edges.length,
  }
}

export interface Edges {
  /** What was said before the pause was asked for and is not there. */
  lostAtPause: Edge[]
  /** What was said after the resume was asked for and is not there. */
  lostAtResume: Edge[]
  /** What of that was said after the resume had been granted. */
  lostAfterResume: Edge[]
  /** From where the first and the last sample left to what the timeline says. */
  starts: Edge[]
  ends: Edge[]
  /** What was said in a pause and is in the segment after it. */
  leaks: Edge[]
}

export function edgesOf ({ talk, segments, cycles, timeline, manifest }: JudgedCall, metronome: Metronome): Edges {
  const edges: Edges = { lostAtPause: [], lostAtResume: [], lostAfterResume: [], starts: [], ends: [], leaks: [] }
  for (const { number, spans, leaks } of segments) {
    const { startedAt, endedAt } = timeline.segments.find(segment => segment.number === number)!
    const { requestedAt } = manifest.segments.find(segment => segment.number === number)!
    const { paused } = cycles[number - 1]!
    const resumed = cycles[number - 2]?.resumed
    const [fromMs, toMs] = [Math.min(Date.parse(requestedAt), resumed?.requestedAtMs ?? Infinity) - 100, paused.answeredAtMs + 100]
    const delayOf = (voice: Voice) => Math.max(metronome.worstDelayMs(fromMs, toMs), stalledMs(voice, { fromMs, toMs }))
    const edgeOf = (voice: Voice, ms: number, { delayMs = delayOf(voice), delayedMs = delayedBy(delayMs), storingMs = 0 } = {}): Edge =>
      ({ where: `${voice.name} in segment ${number} of ${talk.callId}`, ms, delayMs, delayedMs, storingMs })
    for (const { voice: name, heardFrom, heardTo, startedAtMs, endedAtMs } of spans) {
      const voice = talk.voices.find(voice => voice.name === name)!
      edges.lostAtPause.push(edgeOf(voice, saidMs(voice, { fromSample: heardTo, toMs: paused.requestedAtMs })))
      edges.starts.push(edgeOf(voice, Date.parse(startedAt) - startedAtMs))
      edges.ends.push(edgeOf(voice, Date.parse(endedAt) - endedAtMs))
      if (resumed === undefined) continue
      // The recorder is asked to start when it is on the disk that it will be.
      const storingMs = Math.max(0, Date.parse(requestedAt) - resumed.requestedAtMs)
      edges.lostAtResume.push(edgeOf(voice, saidMs(voice, { fromMs: resumed.requestedAtMs, toSample: heardFrom }), { storingMs }))
      edges.lostAfterResume.push(edgeOf(voice, saidMs(voice, { fromMs: resumed.answeredAtMs, toSample: heardFrom })))
    }
    for (const voice of talk.voices) {
      // What an Asterisk that is kept waiting has not yet read when the recorder comes: of a burst all.
      const delayMs = metronome.worstDelayMs(fromMs, toMs)
      const unreadMs = resumed === undefined ? 0 : saidMs(voice, { fromMs: resumed.requestedAtMs - delayedBy(delayMs), toMs: resumed.requestedAtMs })
      edges.leaks.push(edgeOf(voice, leaks.filter(leak => leak.voice === voice.name).reduce((sum, { ms }) => sum + ms, 0), { delayMs, delayedMs: unreadMs }))
    }
  }
  return edges
}

/** How much a voice said between two moments or samples of hers. What a phone was too late to send was not lost. */
function saidMs ({ sentPackets }: Voice, { fromMs = -Infinity, toMs = Infinity, fromSample = -Infinity, toSample = Infinity }: { fromMs?: number, toMs?: number, fromSample?: number, toSample?: number }): number {
  const samples = sentPackets
    .filter(({ sentAtMs }) => sentAtMs >= fromMs && sentAtMs < toMs)
    .reduce((sum, { firstSample }) => sum + Math.max(0, Math.min(firstSample + packetMs * samplesPerMs, toSample) - Math.max(firstSample, fromSample)), 0)
  return samples / samplesPerMs
}
