import type { Voice } from '../support/talk.ts'
import type { Cycle } from './cycles.ts'
import { edgesOf } from './edges.ts'
import type { Leak } from './judge.ts'
import type { JudgedCall } from './round.ts'

export interface Tally {
  add: (round: JudgedCall[]) => void
  /** After so long: how far it is, and how much longer it takes. */
  progress: (elapsedMs: number) => string
  summary: () => string
}

/** No verdict is asked for, so it does not matter how late the machine was. */
const noMetronome = { worstDelayMs: () => 0 }

/** Counts what the rounds have shown, until there were so many pauses and resumes. */
export function createTally (wanted: number): Tally {
  const done = { cycles: 0, lastPauses: 0, stalls: 0, lostPackets: 0, recordedS: 0 }
  const lost: Record<'pause' | 'resume', number[]> = { pause: [], resume: [] }
  let worst: Leak & { callId: string } | undefined

  const counts = () => `${done.cycles} pauses and resumes, ${done.stalls} with a stall, ${done.lostPackets} packets lost on the way, worst leak ${describe(worst)}`
  return {
    add (round) {
      for (const call of round) {
        const { talk, cycles, segments } = call
        const resumed = cycles.filter(cycle => cycle.resumed).length
        done.cycles += resumed
        done.lastPauses += cycles.length - resumed
        done.stalls += seenStalls(call).length
        done.lostPackets += talk.voices.reduce((sum, voice) => sum + lostPackets(voice), 0)
        done.recordedS += segments.reduce((sum, { samples }) => sum + samples, 0) / 8000
        for (const leak of segments.flatMap(({ leaks }) => leaks)) if (leak.ms > (worst?.ms ?? 0)) worst = { ...leak, callId: talk.callId }
        const { lostAtPause, lostAfterResume } = edgesOf(call, noMetronome)
        lost.pause.push(...lostAtPause.map(({ ms }) => ms))
        lost.resume.push(...lostAfterResume.map(({ ms }) => ms))
      }
    },
    progress: elapsedMs => `${counts()}; about ${(elapsedMs / 60_000 * Math.max(0, wanted / done.cycles - 1)).toFixed(1)} minutes left`,
    summary: () => `${counts()}; ${done.lastPauses} pauses more, ${done.recordedS.toFixed(0)} s recorded; lost before a pause ${spread(lost.pause)}, after the answer to a resume ${spread(lost.resume)}`,
  }
}

export const lostPackets = ({ sentPackets }: Pick<Voice, 'sentPackets'>): number => (sentPackets.at(-1)?.number ?? -1) + 1 - sentPackets.length

/** The shortest stall asked for is 100 ms, and begins at most 400 ms before the pause. */
const leastStallMs = 80
const mostLeadMs = 450

/** The stalled pauses around which the packets of a voice did come late. */
export function seenStalls ({ talk: { voices }, cycles }: Pick<JudgedCall, 'talk' | 'cycles'>): Cycle[] {
  return cycles.filter(({ isStalled, paused, resumed }) => isStalled &&
    voices.some(voice => longestSilenceMs(voice, paused.requestedAtMs - mostLeadMs, resumed?.requestedAtMs ?? Infinity) >= leastStallMs))
}

function longestSilenceMs ({ sentPackets }: Voice, fromMs: number, toMs: number): number {
  const times = sentPackets.map(({ sentAtMs }) => sentAtMs).filter(atMs => atMs >= fromMs && atMs < toMs)
  return times.reduce((most, atMs, index) => Math.max(most, atMs - (times[index - 1] ?? atMs)), 0)
}

const describe = (leak: Leak & { callId: string } | undefined): string => leak === undefined
  ? '0 ms'
  : `${leak.ms} ms, of ${leak.voice} in pause ${leak.silence}, in segment ${leak.segment} of ${leak.callId}`

function spread (values: number[]): string {
  const sorted = values.toSorted((a, b) => a - b)
  const ms = (value = NaN) => `${value.toFixed(1)} ms`
  return `${ms(sorted[Math.floor(sorted.length / 2)])} (median), ${ms(sorted.at(-1))} (most)`
}
