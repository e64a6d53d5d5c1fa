import { createHash } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, join, relative } from 'node:path'
import { timelineSchema } from '@tacet/contracts'
import type { Stack, Timeline } from '@tacet/contracts'
import { createHttpClient, readWavSamples } from '@tacet/test-kit'
import colors from 'picocolors'
import type { Progress } from '../progress.ts'
import { Failure } from '../system/failure.ts'
import { voiceOf } from './account.ts'
import { checkAudio } from './audio-checks.ts'
import type { Span } from './audio-checks.ts'
import { playCall } from './call.ts'
import type { PlayedCall } from './call.ts'
import { checkTraces } from './checks.ts'
import { openFollower } from './follow.ts'
import { drawTimeline } from './picture.ts'
import { buildReport } from './report.ts'
import { lines } from './script.ts'
import { agentNames, showCall, showChecks } from './show.ts'
import { watchSegments } from './spool.ts'
import { speak } from './voices.ts'

const publishTimeoutMs = 10_000
const assemblyTimeoutMs = 30_000

type DemoOptions = { dir: string, progress: Progress, signal: AbortSignal }
type Downloaded = { timeline: Timeline, file: string, sha256: string }

/**
 * Plays the demo call on a running stack and shows it as it goes.
 * Leaves recording.wav, timeline.json and report.json in `dir`; a Failure when the promise did not hold.
 */
export async function playDemoCall (stack: Stack, { dir, progress, signal }: DemoOptions): Promise<void> {
  const write = progress.line
  await rm(dir, { recursive: true, force: true })
  await mkdir(dir, { recursive: true })
  const segmentsDir = join(dir, 'segments')
  const segments = stack.spoolDir ? watchSegments(stack.spoolDir, segmentsDir) : null
  const [{ utterances }, follower] = await progress.step('Voices for the demo call', () => Promise.all([speak(lines, signal), openFollower(stack)]))
  try {
    write(`\n  ${colors.bold('A customer calls Anna')}: real SIP, real RTP. What happens to the recording is read from Kafka as it is published.\n`)
    const show = showCall(stack, write)
    const call = await playCall(stack, {
      utterances,
      segments,
      signal,
      onLine: show.line,
      onDialled: (sipCallId) => follower.follow(sipCallId, show.event),
      untilPublished: (type) => follower.until(type, publishTimeoutMs),
    })
    const assembled = await follower.until('recording.assembled', assemblyTimeoutMs)
    const downloaded = await download(stack, call.callId, dir)
    const { timeline, file } = downloaded

    const voices = voicesOf(call)
    const sha256 = { event: assembled.data.sha256, timeline: timeline.sha256, file: downloaded.sha256 }
    write('')
    const audio = await progress.step('Listening for what must not be there', async () => checkAudio({
      voices,
      recording: readWavSamples(file),
      segments: segments?.files().map((path) => ({ name: basename(path), samples: readWavSamples(path) })) ?? null,
      receivedByAgent: concatenate(call.receivedByAgent.map(({ samples }) => samples)),
      silence: { fromMs: call.pause.answeredAtMs, toMs: call.resume.requestedAtMs },
      recorded: recordedSpans(call, timeline),
    }))
    const checks = [...audio.checks, ...checkTraces({ call, events: follower.events, timeline, agentId: stack.agents[0]?.agentId ?? '', sha256 })]
    const report = buildReport({ call, voices, recording: audio.recording, checks, events: follower.events, timeline, sha256 })
    await writeFile(join(dir, 'report.json'), JSON.stringify(report, null, 2))
    write('')
    for (const line of await drawTimeline(timeline, file, { width: widthOf(process.stdout), nameOf: agentNames(stack) })) write(line)
    write('')
    showChecks(checks, write)
    write(`\n  ${colors.bold(shownPath(file))}, and beside it timeline.json and report.json`)
    const broken = checks.filter(({ isOk }) => !isOk)
    if (broken.length === 0) await rm(segmentsDir, { recursive: true, force: true })
    if (broken.length > 0) throw new Failure(`The promise did not hold: ${broken.map(({ name, says }) => `${name} (${says})`).join('; ')}.\n  All figures are in ${shownPath(join(dir, 'report.json'))}, what Asterisk wrote in ${shownPath(segmentsDir)}.`)
  } finally {
    await follower.close()
  }
}

/** The recording and its timeline, as Anna gets them over REST. */
async function download ({ assembly, agents }: Stack, recordingId: string, dir: string): Promise<Downloaded> {
  const token = agents[0]?.apiToken ?? ''
  const { body } = await createHttpClient(assembly?.url ?? '', { token })(`/v1/recordings/${recordingId}/timeline`)
  const timeline = timelineSchema.parse(body)
  const answer = await fetch(`${assembly?.url}/v1/recordings/${recordingId}/audio`, { headers: { authorization: `Bearer ${token}` }, signal: AbortSignal.timeout(10_000) })
  if (!answer.ok) throw new Failure(`The recording's audio was answered ${answer.status}.`)
  const audio = Buffer.from(await answer.arrayBuffer())
  const file = join(dir, 'recording.wav')
  await writeFile(file, audio)
  await writeFile(join(dir, 'timeline.json'), JSON.stringify(timeline, null, 2))
  return { timeline, file, sha256: createHash('sha256').update(await readFile(file)).digest('hex') }
}

const voicesOf = ({ sent: { agent, customer } }: PlayedCall) => ({
  agent: voiceOf('agent', agent.packets, agent.sources),
  customer: voiceOf('customer', customer.packets, customer.sources),
})

/** While each segment was open; the requests, not the answers, bound what must be in it. */
function recordedSpans ({ pause, hungUpAtMs }: PlayedCall, { segments }: Timeline): Span[] {
  return segments.map(({ startedAt, closedBy }) => ({ fromMs: Date.parse(startedAt), toMs: closedBy === 'pause' ? pause.requestedAtMs : hungUpAtMs }))
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

const widthOf = ({ columns }: { columns?: number }): number => Math.max(40, Math.min(100, (columns ?? 80) - 4))
const shownPath = (path: string): string => relative(process.cwd(), path)
