import type { Timeline } from '@tacet/contracts'
import type { Voice } from './talk.ts'

/** What is heard at one place of a stereo recording. */
export interface Heard {
  segment: number
  atMs: number
  /** How far apart it was said. */
  apartMs: number
  /** How much later than it was said the latest packet of the segment had left until then, of either side. */
  heldUpMs: number
}

interface Ear {
  /** When that was said which is heard at this place, or undefined: a lost packet, or silence instead of one that is late. */
  saidAt: (place: number, atMs: number) => number | undefined
  heldUp: (fromMs: number, toMs: number) => number
}

const window = 800
const searchedMs = 1_500
const correlationOfOne = 0.5

/** Listens to each segment in steps, at 8 kHz. */
export function listen ({ segments }: Timeline, channels: Int16Array[], voices: [Voice, Voice], { everyMs }: { everyMs: number }): Heard[] {
  const ears = voices.map((voice, side) => createEar(channels[side]!, voice))
  return segments.flatMap(({ number, startedAt, offsetSamples, samples }) => {
    const beganAtMs = Date.parse(startedAt)
    const heard: Heard[] = []
    for (let within = window; within + 2 * window < samples; within += everyMs * 8) {
      const atMs = beganAtMs + within / 8
      const [left, right] = ears.map(ear => ear.saidAt(offsetSamples + within, atMs))
      const heldUpMs = Math.max(...ears.map(ear => ear.heldUp(beganAtMs, atMs + window / 8)))
      if (left !== undefined && right !== undefined) heard.push({ segment: number, atMs, apartMs: Math.abs(left - right), heldUpMs })
    }
    return heard
  })
}

/** The phone's own clock says when a sample was said, however late its packet left. */
function createEar (recorded: Int16Array, { signal, sentPackets }: Voice): Ear {
  const beganAtMs = Math.min(...sentPackets.slice(0, 100).map(({ sentAtMs, firstSample }) => sentAtMs - firstSample / 8))
  let lag = 0

  function find (wanted: Int16Array, atMs: number): number | undefined {
    const from = Math.max(0, Math.round((atMs - beganAtMs - searchedMs) * 8))
    const nearby = signal.read(from, window + (searchedMs + 100) * 8)
    let [best, found] = [correlationOfOne, -1]
    for (let at = 0; at + window <= nearby.length; at++) {
      const match = correlation(wanted, nearby, at)
      if (match > best) [best, found] = [match, at]
    }
    return found < 0 ? undefined : from + found
  }

  let [next, since, most] = [0, -Infinity, 0]
  return {
    saidAt (place, atMs) {
      const wanted = recorded.subarray(place, place + window)
      const isWhereItWas = correlation(wanted, signal.read(place + lag, window), 0) > correlationOfOne
      const spoken = isWhereItWas ? place + lag : find(wanted, atMs)
      if (spoken === undefined) return undefined
      lag = spoken - place
      return beganAtMs + spoken / 8
    },
    heldUp (fromMs, toMs) {
      if (fromMs !== since) [since, most] = [fromMs, 0]
      for (; next < sentPackets.length && sentPackets[next]!.sentAtMs < toMs; next++) {
        const { sentAtMs, firstSample } = sentPackets[next]!
        if (sentAtMs >= fromMs) most = Math.max(most, sentAtMs - beganAtMs - firstSample / 8)
      }
      return most
    },
  }
}

function correlation (one: Int16Array, other: Int16Array, at: number): number {
  let [product, ones, others] = [0, 0, 0]
  for (let i = 0; i < one.length; i++) {
    const [a, b] = [one[i]!, other[at + i]!]
    product += a * b
    ones += a * a
    others += b * b
  }
  return product / Math.sqrt(ones * others || 1)
}
