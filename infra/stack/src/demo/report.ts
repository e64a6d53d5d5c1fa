import type { Timeline } from '@tacet/contracts'
import type { ProbedEvent } from '@tacet/test-kit'
import { presentMs, sentMs } from './account.ts'
import type { Account, Voice } from './account.ts'
import type { PlayedCall } from './call.ts'
import type { Check } from './checks.ts'
import { lines } from './script.ts'

type Judged = {
  call: PlayedCall
  voices: Record<'agent' | 'customer', Voice>
  recording: Account
  checks: Check[]
  events: ProbedEvent[]
  timeline: Timeline
  sha256: Record<string, string | null>
}

const iso = (epochMs: number): string => new Date(epochMs).toISOString()

/** `report.json`: whether the promise held, and every figure that says so. */
export function buildReport ({ call, voices, recording, checks, events, timeline, sha256 }: Judged) {
  return {
    isKept: checks.every(({ isOk }) => isOk),
    callId: call.callId,
    checks,
    durationsMs: {
      call: Date.parse(timeline.endedAt) - Date.parse(timeline.answeredAt),
      recording: timeline.durationMs,
      gap: timeline.gaps.reduce((sum, gap) => sum + gap.durationMs, 0),
      pauseAnswer: call.pause.answeredAtMs - call.pause.requestedAtMs,
      resumeAnswer: call.resume.answeredAtMs - call.resume.requestedAtMs,
    },
    sha256,
    said: lines.map(({ name, by, text }) => {
      const ofLine = (packet: { source: string }): boolean => packet.source === name
      const startedAtMs = voices[by].packets.find(ofLine)?.sentAtMs
      return { name, by, text, startedAt: startedAtMs ? iso(startedAtMs) : null, sentMs: sentMs(voices[by], ofLine), recordedMs: presentMs(recording, voices[by], ofLine) }
    }),
    commands: [['pause', call.pause], ['resume', call.resume]].map(([action, command]) => {
      const { requestedAtMs, answeredAtMs, answer } = command as PlayedCall['pause']
      return { action, requestedAt: iso(requestedAtMs), answeredAt: iso(answeredAtMs), answer }
    }),
    events: events.map(({ topic, type, id, time, data }) => ({ topic, type, seq: data?.seq ?? null, time, id, data })),
  }
}
