import type { Timeline } from '@tacet/contracts'
import type { ProbedEvent } from '@tacet/test-kit'
import type { PlayedCall } from './call.ts'

/** Something that must hold of the demo call: a stable name, a sentence with what was measured, the figures. */
export type Check = {
  name: string
  isOk: boolean
  says: string
  measured: Record<string, unknown>
  /** It fails as well where the machine was too busy to carry the audio in time. */
  isAboutLoss?: boolean
}

export type Traces = {
  call: PlayedCall
  events: ProbedEvent[]
  timeline: Timeline
  agentId: string
  sha256: Record<'event' | 'timeline' | 'file', string | null>
}

const wantedOrder = ['call.ringing', 'call.answered', 'recording.started', 'recording.paused', 'recording.resumed', 'recording.ended']
const clockToleranceMs = 50

/** Everything but the audio: what the services answered, announced and stored. */
export function checkTraces (traces: Traces): Check[] {
  return [answersAreProven(traces), filesStoodStill(traces), eventsAreInOrder(traces), gapIsTold(traces), recordingIsComplete(traces), filesAgree(traces)]
}

function answersAreProven ({ call: { pause, resume } }: Traces): Check {
  const took = (command: PlayedCall['pause']): number => Math.round(command.answeredAtMs - command.requestedAtMs)
  const isOk = pause.answer.state === 'paused' && pause.answer.durable && resume.answer.state === 'recording' && resume.answer.durable
  return {
    name: 'answers',
    isOk,
    says: `pause answered "${pause.answer.state}" after ${took(pause)} ms, resume "${resume.answer.state}" after ${took(resume)} ms`,
    measured: { pause: { ...pause.answer, tookMs: took(pause) }, resume: { ...resume.answer, tookMs: took(resume) } },
  }
}

function filesStoodStill ({ call: { sizes } }: Traces): Check {
  if (!sizes) return { name: 'files-still', isOk: true, says: 'the PBX\'s spool is not on this machine, so its files were not watched', measured: {} }
  const same = JSON.stringify(sizes.paused) === JSON.stringify(sizes.beforeResume)
  const count = Object.keys(sizes.paused).length
  return {
    name: 'files-still',
    isOk: same && count > 0,
    says: `while paused, ${same ? 'no byte was' : 'bytes were'} added to the call's ${count === 1 ? 'file' : `${count} files`} in the PBX's spool`,
    measured: sizes,
  }
}

function eventsAreInOrder ({ events }: Traces): Check {
  const ofCall = events.filter(({ data }) => typeof data?.seq === 'number')
  const isNumbered = ofCall.every(({ data }, index) => data.seq === index + 1)
  const types = ofCall.map(({ type }) => type ?? '').filter((type) => wantedOrder.includes(type))
  const isOrdered = JSON.stringify(types) === JSON.stringify(wantedOrder)
  return {
    name: 'events-in-order',
    isOk: isNumbered && isOrdered,
    says: `${ofCall.length} events of the call came out of Kafka, ${isNumbered ? `numbered 1 to ${ofCall.length} without a hole` : 'NOT in the order of their numbers'}`,
    measured: { seqs: ofCall.map(({ data }) => data.seq), types, wantedOrder },
  }
}

function gapIsTold ({ timeline, call: { pause, resume }, agentId }: Traces): Check {
  const [gap, ...others] = timeline.gaps
  const startedAtMs = Date.parse(gap?.startedAt ?? '')
  const endedAtMs = Date.parse(gap?.endedAt ?? '')
  const isThere = gap !== undefined && others.length === 0 && gap.reasons.join() === 'agent' && gap.by.some((actor) => actor.agentId === agentId)
  // It must cover the silence that was promised, and no more than from request to answer.
  const isTimely = startedAtMs >= pause.requestedAtMs - clockToleranceMs && startedAtMs <= pause.answeredAtMs + clockToleranceMs &&
    endedAtMs >= resume.requestedAtMs - clockToleranceMs && endedAtMs <= resume.answeredAtMs + clockToleranceMs
  return {
    name: 'gap-told',
    isOk: isThere && isTimely,
    says: isThere ? `the timeline tells of one gap of ${((endedAtMs - startedAtMs) / 1000).toFixed(1)} s, made by Anna` : `the timeline tells of ${timeline.gaps.length} gaps, not of Anna's one`,
    measured: { gaps: timeline.gaps, pauseRequestedAtMs: pause.requestedAtMs, pauseAnsweredAtMs: pause.answeredAtMs, resumeRequestedAtMs: resume.requestedAtMs, resumeAnsweredAtMs: resume.answeredAtMs },
  }
}

function recordingIsComplete ({ timeline }: Traces): Check {
  const bySegments = timeline.segments.reduce((sum, segment) => sum + segment.durationMs, 0)
  return {
    name: 'recording-complete',
    isOk: timeline.outcome === 'complete' && timeline.segments.length === 2 && Math.abs(bySegments - timeline.durationMs) < 1,
    isAboutLoss: timeline.reasons.every(({ code }) => code === 'segment-short'),
    says: `the recording is ${timeline.outcome}: ${(timeline.durationMs / 1000).toFixed(1)} s in ${timeline.segments.length} segments${timeline.reasons.map(({ detail }) => `; ${detail}`).join('')}`,
    measured: { outcome: timeline.outcome, reasons: timeline.reasons, durationMs: timeline.durationMs, segmentsMs: timeline.segments.map((segment) => segment.durationMs) },
  }
}

function filesAgree ({ sha256 }: Traces): Check {
  const isSame = sha256.file !== null && sha256.event === sha256.file && sha256.timeline === sha256.file
  return {
    name: 'sha256',
    isOk: isSame,
    says: isSame ? `file, timeline and event have the same SHA-256, ${sha256.file?.slice(0, 12)}…` : 'file, timeline and event differ in their SHA-256',
    measured: sha256,
  }
}
