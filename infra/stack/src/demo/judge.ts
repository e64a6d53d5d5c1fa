import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { gainsOf } from '@tacet/audio'
import { timelineSchema } from '@tacet/contracts'
import type { Stack, Timeline } from '@tacet/contracts'
import { createHttpClient, readWavSamples } from '@tacet/test-kit'
import type { ProbedEvent } from '@tacet/test-kit'
import { Failure } from '../system/failure.ts'
import { voiceOf } from './account.ts'
import type { Gains } from './account.ts'
import { checkAudio } from './audio-checks.ts'
import type { Span } from './audio-checks.ts'
import type { PlayedCall } from './call.ts'
import { checkTraces } from './checks.ts'
import type { Check } from './checks.ts'
import { buildReport } from './report.ts'
import type { Segments } from './spool.ts'

export type Downloaded = { timeline: Timeline, file: string, sha256: string }

/** The recording and its timeline, as Anna gets them over REST, into `dir`. */
export async function download ({ assembly, agents }: Stack, recordingId: string, dir: string): Promise<Downloaded> {
  const token = agents[0]?.apiToken ?? ''
  const { body } = await createHttpClient(assembly?.url ?? '', { token })(`/v1/recordings/${recordingId}/timeline`)
  const timeline = timelineSchema.parse(body)
  const answer = await fetch(`${assembly?.url}/v1/recordings/${recordingId}/audio`, { headers: { authorization: `Bearer ${token}` }, signal: AbortSignal.timeout(10_000) })
  if (!answer.ok) throw new Failure(`The recording's audio was answered ${answer.status}.`)
  const audio = Buffer.from(await answer.arrayBuffer())
  const file = join(dir, 'recording.wav')
  await writeFile(file, audio)
  await writeFile(join(dir, 'timeline.json'), JSON.stringify(timeline, null, 2))
  return { timeline, file, sha256: createHash('sha256').update(audio).digest('hex') }
}

type Case = { stack: Stack, call: PlayedCall, events: ProbedEvent[], assembledSha256: string | null, segments: Segments | null, downloaded: Downloaded, dir: string }

/** Holds everything that is left of the call against what was sent, and writes report.json. */
export async function judge ({ stack, call, events, assembledSha256, segments, downloaded: { timeline, file, ...downloaded }, dir }: Case): Promise<Check[]> {
  const { agent, customer } = call.sent
  const voices = { agent: voiceOf('agent', agent.packets, agent.sources), customer: voiceOf('customer', customer.packets, customer.sources) }
  const audio = checkAudio({
    voices,
    recording: readWavSamples(file),
    gains: gainsIn(timeline),
    segments: segments?.files().map((path) => ({ name: basename(path), samples: readWavSamples(path) })) ?? null,
    receivedByAgent: concatenate(call.receivedByAgent.map(({ samples }) => samples)),
    silence: { fromMs: call.pause.answeredAtMs, toMs: call.resume.requestedAtMs },
    recorded: recordedSpans(call, timeline),
  })
  const sha256 = { event: assembledSha256, timeline: timeline.sha256, file: downloaded.sha256 }
  const checks = [...audio.checks, ...checkTraces({ call, events, timeline, agentId: stack.agents[0]?.agentId ?? '', sha256 })]
  const report = buildReport({ call, voices, recording: audio.recording, checks, events, timeline, sha256 })
  await writeFile(join(dir, 'report.json'), JSON.stringify(report, null, 2))
  return checks
}

/** While each segment was open; the requests, not the answers, bound what must be in it. */
function recordedSpans ({ pause, hungUpAtMs }: PlayedCall, { segments }: Timeline): Span[] {
  return segments.map(({ startedAt, closedBy }) => ({ fromMs: Date.parse(startedAt), toMs: closedBy === 'pause' ? pause.requestedAtMs : hungUpAtMs }))
}

/** As the timeline states them. */
function gainsIn ({ segments }: Timeline): Gains {
  const gains = segments.map((segment) => ({ from: segment.offsetSamples, gains: gainsOf(segment) }))
  return (at) => gains.map(({ from, gains }) => gains[at - from]).find((gain) => gain !== undefined) ?? 1
}

function concatenate (parts: Int16Array[]): Int16Array {
  const whole = new Int16Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
