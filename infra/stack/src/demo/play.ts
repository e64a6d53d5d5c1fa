import { mkdir, rm } from 'node:fs/promises'
import { constants, setPriority } from 'node:os'
import { join, relative } from 'node:path'
import type { Stack } from '@tacet/contracts'
import colors from 'picocolors'
import type { Progress } from '../progress.ts'
import { Failure } from '../system/failure.ts'
import { playCall } from './call.ts'
import type { Check } from './checks.ts'
import { openFollower } from './follow.ts'
import { download, judge } from './judge.ts'
import { drawTimeline } from './picture.ts'
import { lines } from './script.ts'
import type { Line } from './script.ts'
import { agentNames, showCall, showChecks } from './show.ts'
import { watchSegments } from './spool.ts'
import { longestStallMs } from './stalls.ts'
import { speak } from './voices.ts'
import type { Utterance } from './voices.ts'

const publishTimeoutMs = 10_000
const assemblyTimeoutMs = 30_000
const attempts = 3
/** Asterisk gives up audio that comes later. */
const harmfulStallMs = 80

type DemoOptions = { dir: string, progress: Progress, signal: AbortSignal }
type Played = { broken: Check[], stallMs: number }

/**
 * Plays the demo call on a running stack and shows it as it goes.
 * Leaves recording.wav, timeline.json and report.json in `dir`; a Failure when the promise did not hold.
 */
export async function playDemoCall (stack: Stack, { dir, progress, signal }: DemoOptions): Promise<void> {
  const write = progress.line
  const utterances = await progress.step('Voices for the demo call', () => speak(lines, signal))
  goBeforeOthers()
  for (let attempt = 1; ; attempt++) {
    await rm(dir, { recursive: true, force: true })
    await mkdir(dir, { recursive: true })
    const { broken, stallMs } = await playOnce(stack, utterances, { dir, progress, signal })
    if (broken.length === 0) return
    const wasHeldUp = stallMs > harmfulStallMs && broken.every(({ isAboutLoss }) => isAboutLoss)
    if (!wasHeldUp || attempt === attempts) throw failure(broken, dir, stallMs)
    write(`\n  ${colors.yellow('This machine is too busy for audio')}: packets were held up for ${stallMs} ms, so some are missing, and the recording says so. Once more.`)
  }
}

async function playOnce (stack: Stack, utterances: Map<Line, Utterance>, { dir, progress, signal }: DemoOptions): Promise<Played> {
  const write = progress.line
  const segmentsDir = join(dir, 'segments')
  const segments = stack.spoolDir ? watchSegments(stack.spoolDir, segmentsDir) : null
  const follower = await openFollower(stack)
  try {
    write(`\n  ${colors.bold('A customer calls Anna')}: real SIP, real RTP. What becomes of the recording is read from Kafka as it is published.\n`)
    const show = showCall(stack, write)
    const call = await playCall(stack, {
      utterances,
      segments,
      signal,
      onLine: show.line,
      onDialled: (sipCallId) => follower.follow(sipCallId, show.event),
      untilPublished: (type) => follower.until(type, publishTimeoutMs),
    })
    const { data: { sha256 } } = await follower.until('recording.assembled', assemblyTimeoutMs)
    const downloaded = await download(stack, call.callId, dir)

    write('')
    const checks = await progress.step('Listening for what must not be there', () =>
      judge({ stack, call, events: follower.events, assembledSha256: sha256, segments, downloaded, dir }))
    write('')
    for (const line of await drawTimeline(downloaded.timeline, downloaded.file, { width: widthOf(process.stdout), nameOf: agentNames(stack) })) write(line)
    write('')
    showChecks(checks, write)
    const broken = checks.filter(({ isOk }) => !isOk)
    if (broken.length === 0) {
      await rm(segmentsDir, { recursive: true, force: true })
      write(`\n  ${colors.bold(shownPath(downloaded.file))}, and beside it timeline.json and report.json`)
    }
    return { broken, stallMs: longestStallMs(call) }
  } finally {
    await follower.close()
  }
}

function failure (broken: Check[], dir: string, stallMs: number): Failure {
  const reasons = broken.map(({ name, says }) => `    ${name}: ${says}`).join('\n')
  const stall = stallMs > harmfulStallMs ? `  This machine held packets up for ${stallMs} ms.\n` : ''
  return new Failure(`The promise did not hold.\n${reasons}\n${stall}  All figures are in ${shownPath(dir)}/report.json, what Asterisk wrote in ${shownPath(dir)}/segments.`)
}

/** Phones that send late make recorders lose audio. */
function goBeforeOthers (): void {
  try {
    setPriority(constants.priority.PRIORITY_HIGH)
  } catch {} // only root may
}

const widthOf = ({ columns }: { columns?: number }): number => Math.max(40, Math.min(100, (columns ?? 80) - 4))
const shownPath = (path: string): string => relative(process.cwd(), path)
