import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Test } from 'tap'
import { eventually, leaked, locate, missing } from '@tacet/test-kit'
import { checkAudio, proofOf, stalledMs, type Proof } from '../support/proof.ts'
import { parseName } from '../leak/spool.ts'
import { liveLines, recentMs, talkOn, voicesOf, type Line } from './history.ts'
import type { World } from './play.ts'
import type { SpoolLog } from './spool-log.ts'

/** A range shorter than this holds no whole packet for certain. */
const judgedMs = { silent: 60, recorded: 400 }

/** The end of a history: each call that lives is paused and resumed once more, and hung up. */
export async function finish (t: Test, { history }: World): Promise<void> {
  t.same(voicesOf(history).filter(({ call }) => call.state !== 'answered' || !hears(call.received)).map(({ name }) => name), [], 'the calls went on, and are heard')
  const lines = liveLines(history)
  await Promise.all(lines.map(async line => await line.press(line.may.has('paused') ? 'resume' : 'pause')))
  await talkOn(history, 400)
  await Promise.all(lines.map(async line => await line.press(line.may.has('paused') ? 'resume' : 'pause')))
  await talkOn(history, 500)
  await Promise.all(lines.map(async line => await line.hangup()))
}

const hears = (received: readonly { arrivedAtMs: number }[]): boolean => (received.at(-1)?.arrivedAtMs ?? 0) > recentMs()

/** What must be true of every history, whatever happened in it. */
export async function judge (t: Test, { tacet, history }: World, spool: SpoolLog): Promise<void> {
  for (const line of history.lines) {
    const proof = await proofOf(t, tacet, line.talk, { outcomes: ['complete', 'incomplete', 'empty'] })
    judgeAudio(t, line, proof)
    await judgeOutcome(t, line, proof, tacet.logDir)
    judgeFiles(t, line, proof, spool)
    judgeAssembly(t, line, proof, tacet.probe.events)
  }
  t.same(spool.strangers(history.lines.map(({ talk }) => talk.callId)), [], 'nothing else was ever written to the spool')
  t.same(await spool.leaks(history), [], 'nothing of a pause is in any file that is left in the spool')
}

/** What was said in a pause is nowhere; what was said while it recorded is there, or the recording says that something is missing. */
function judgeAudio (t: Test, { talk: { voices, recorded, silent } }: Line, proof: Proof): void {
  const isLongEnough = (leastMs: number) => ({ fromMs, toMs }: { fromMs: number, toMs: number }) => toMs - fromMs >= leastMs
  checkAudio(t, proof, { voices, silent: silent.filter(isLongEnough(judgedMs.silent)), recorded: [] })
  if (proof.timeline.outcome !== 'complete') return
  const located = locate(proof.samples, voices)
  for (const voice of voices) {
    for (const range of recorded.filter(isLongEnough(judgedMs.recorded))) {
      const saidMs = 20 * voice.sentPackets.filter(({ sentAtMs }) => sentAtMs >= range.fromMs && sentAtMs < range.toMs).length
      const missingMs = missing(located, voice.name, range.fromMs, range.toMs)
      t.ok(missingMs <= toleratedMs + saidMs / 25 + 3 * stalledMs(voice, range), `of ${saidMs} ms that ${voice.name} said while it recorded, ${missingMs} are missing`)
    }
  }
}

/** At both edges together, and by chance. A machine that restarts services all the time drops some packets more. */
const toleratedMs = 250

async function judgeOutcome (t: Test, { name, fate, isLate, talk }: Line, { timeline, manifest }: Proof, logDir: string): Promise<void> {
  const { outcome, reasons } = timeline
  const lost = manifest.gaps.filter(gap => gap.reasons.includes('lost'))
  t.notOk(reasons.some(({ code }) => code === 'segment-long'), `${name} has no segment that is too long`)
  if (lost.length > 0 || fate === 'cut off') t.equal(outcome, 'incomplete', `${name} lacks something`)
  if (outcome !== 'incomplete') return
  t.comment(`${name}: ${reasons.map(({ code, detail }) => `${code} (${detail})`).join(', ')}`)
  t.ok(reasons.length > 0, `${name} says what is missing`)
  t.ok(fate !== 'whole' || isLate || isByStall(talk, reasons), `${name} should be complete, for nothing befell it: ${JSON.stringify(reasons)}`)
  await eventually(async () => (await errorsOf(logDir, talk.callId)).length > 0, { message: 'no error was logged about a recording that lacks something' })
}

/** On a busy machine the phones themselves may be held up: what they then send in bursts, a recorder drops. */
function isByStall ({ voices }: Line['talk'], reasons: { code: string, detail: string }[]): boolean {
  const stalls = voices.reduce((sum, voice) => sum + stalledMs(voice, { fromMs: 0, toMs: Infinity }), 0)
  const missing = reasons.reduce((sum, { detail }) => sum + Number(/(\d+) ms of audio are missing/.exec(detail)?.[1] ?? Infinity), 0)
  return reasons.every(({ code }) => code === 'segment-short') && missing < 300 * reasons.length + 3 * stalls
}

/** Every segment that was written is in this recording, once. */
function judgeFiles (t: Test, { name, talk: { callId } }: Line, { manifest }: Proof, spool: SpoolLog): void {
  const named = manifest.segments.map(({ number }) => number)
  t.same(named, [...new Set(named)].sort((a, b) => a - b), `${name}: each segment once, in order`)
  const written = spool.names().filter(file => file.includes(callId)).map(file => parseName(file).number)
  t.same(written.filter(number => !named.includes(number)), [], `${name}: every segment that was written is in the recording`)
}

function judgeAssembly (t: Test, { name, talk: { callId } }: Line, _proof: Proof, events: readonly { id?: string | undefined, type?: string | undefined, data?: any }[]): void {
  const assembled = events.filter(({ type, data }) => type === 'recording.assembled' && data?.recordingId === callId)
  t.equal(new Set(assembled.map(({ id }) => id)).size, 1, `${name} was assembled once`)
}

/** Lines of the services' logs that are errors and name the call. */
export async function errorsOf (logDir: string, callId: string): Promise<{ msg: string, alarm?: string }[]> {
  const lines = await Promise.all(['call-control', 'recording-assembly'].map(async name => (await readFile(join(logDir, `${name}.log`), 'utf8')).split('\n')))
  return lines.flat().filter(line => line.includes(callId)).flatMap(line => {
    try {
      const entry = JSON.parse(line)
      return entry.level >= 50 ? [entry] : []
    } catch {
      return []
    }
  })
}

/** How much of what was said in a pause is in these samples, by voice. */
export function leaksIn (samples: Int16Array, { talk: { voices, silent } }: Line): { voice: string, ms: number }[] {
  const located = locate(samples, voices)
  return voices.map(({ name }) => ({ voice: name, ms: silent.reduce((sum, { fromMs, toMs }) => sum + leaked(located, name, fromMs, toMs), 0) })).filter(({ ms }) => ms > 0)
}
