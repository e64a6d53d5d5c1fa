import type { Test } from 'tap'
import { gainsOf } from '@tacet/audio'
import { eventually, leaked, locate, missing, type TimeRange } from '@tacet/test-kit'
import { checkAudio, filesOf, proofOf, stalledMs, type Proof } from '../support/proof.ts'
import type { Tacet } from '../support/tacet.ts'
import type { Voice } from '../support/talk.ts'
import { liveLines, recentMs, talkOn, voicesOf, type Line } from './history.ts'
import { recordersOn } from './known.ts'
import type { World } from './play.ts'
import { openServiceLogs, type ServiceLogs } from './service-logs.ts'
import type { SpoolLog } from './spool-log.ts'

/** A range shorter than this holds no whole packet for certain. */
const judgedMs = { silent: 60, recorded: 400 }

/** The end of a history: each call that lives is paused and resumed once more, and hung up. */
export async function finish (t: Test, { history }: World): Promise<void> {
  t.same(voicesOf(history).filter(({ call }) => call.state !== 'answered' || !hears(call.received)).map(({ name }) => name), [], 'the calls went on, and are heard')
  const lines = liveLines(history)
  await pressEach(t, lines)
  await talkOn(history, 400)
  await pressEach(t, lines)
  await talkOn(history, 500)
  await Promise.all(lines.map(async line => await line.hangup()))
}

/** Nothing is in the way any more: whoever is refused now is refused for good. */
async function pressEach (t: Test, lines: Line[]): Promise<void> {
  await Promise.all(lines.map(async line => {
    const action = line.may.has('paused') ? 'resume' : 'pause'
    const answer = await line.press(action)
    t.equal(answer?.status, 200, `${line.name}: the last ${action} is granted`, { answer: answer?.body })
  }))
}

const hears = (received: readonly { arrivedAtMs: number }[]): boolean => (received.at(-1)?.arrivedAtMs ?? 0) > recentMs()

/** What must be true of every history, whatever happened in it. */
export async function judge (t: Test, world: World, spool: SpoolLog): Promise<void> {
  const { tacet, ground, history } = world
  const log = await openServiceLogs(tacet, { isFromStart: true })
  for (const line of history.lines) {
    const proof = await proofOf(t, tacet, line.talk, { outcomes: ['complete', 'incomplete', 'empty'] })
    judgeAudio(t, line, proof)
    await judgeOutcome(t, line, proof, log)
    judgeFiles(t, line, proof, spool)
    judgeAssembly(t, line, tacet.probe.events)
    await waitForFormats(tacet, proof)
  }
  t.same(spool.strangers(history.lines.map(({ talk }) => talk.callId)), [], 'nothing else was ever written to the spool')
  spool.forget()
  await eventually(async () => (await recordersOn(ground.stack)).length === 0, { intervalMs: 200, message: 'recorders were left on the PBX' }).catch(error => t.fail(error.message))
}

/** What was said in a pause is nowhere; what was said while it recorded is there, or the recording says of the segment that something is missing. */
function judgeAudio (t: Test, { name, talk: { voices, recorded, silent } }: Line, proof: Proof): void {
  const isLongEnough = (leastMs: number) => ({ fromMs, toMs }: { fromMs: number, toMs: number }) => toMs - fromMs >= leastMs
  checkAudio(t, proof, { voices, silent: silent.filter(isLongEnough(judgedMs.silent)), recorded: [] })
  const { outcome, segments } = proof.timeline
  const sure = recorded.filter(isLongEnough(judgedMs.recorded))
  if (outcome === 'empty') t.same(sure.filter(range => voices.some(voice => saidMsIn(voice, range) > 0)), [], `${name} is empty, for nobody spoke while it recorded`)
  const whole = outcome === 'complete' ? sure : sure.filter(range => segments.some(segment => segment.notes.length === 0 && holds(segment, range)))
  const located = locate(proof.samples, voices)
  for (const voice of voices) {
    for (const range of whole) {
      const saidMs = saidMsIn(voice, range)
      const missingMs = missing(located, voice.name, range.fromMs, range.toMs)
      t.ok(missingMs <= toleratedMs + Math.min(saidMs / 25, 200) + 3 * stalledMs(voice, range), `of ${saidMs} ms that ${voice.name} said while it recorded, ${missingMs} are missing`)
    }
  }
}

const saidMsIn = ({ sentPackets }: Voice, { fromMs, toMs }: TimeRange): number => 20 * sentPackets.filter(({ sentAtMs }) => sentAtMs >= fromMs && sentAtMs < toMs).length
const holds = ({ startedAt, endedAt }: { startedAt: string, endedAt: string }, { fromMs, toMs }: TimeRange): boolean => Date.parse(startedAt) <= fromMs && Date.parse(endedAt) >= toMs

/** At both edges together, and by chance. A machine that restarts services all the time drops some packets more. */
const toleratedMs = 250

async function judgeOutcome (t: Test, { name, isCutOff, lacks, isLate, talk }: Line, { timeline, manifest }: Proof, log: ServiceLogs): Promise<void> {
  const { outcome, reasons } = timeline
  const lost = manifest.gaps.filter(gap => gap.reasons.includes('lost'))
  t.notOk(reasons.some(({ code }) => code === 'segment-long'), `${name} has no segment that is too long`)
  if (lost.length > 0 || isCutOff || lacks) t.equal(outcome, 'incomplete', `${name} lacks something`)
  if (lacks) t.ok(reasons.some(({ code }) => lacks.test(code)), `${name} lacks it because of ${lacks}`, { reasons })
  if (outcome !== 'incomplete') return
  t.comment(`${name}: ${reasons.map(({ code, detail }) => `${code} (${detail})`).join(', ')}`)
  t.ok(reasons.length > 0, `${name} says what is missing`)
  t.ok(isCutOff || lacks || isLate || isByStall(talk, reasons), `${name} should be complete, for nothing befell it: ${JSON.stringify(reasons)}`)
  for (const alarm of new Set(['recording-incomplete', ...reasons.map(({ code }) => code).filter(code => code.startsWith('segment-'))])) {
    await log.alarmed(t, { service: 'recording-assembly', name: new RegExp(`^${alarm}$`) }, timeline.recordingId)
  }
}

/** On a busy machine the phones themselves may be held up: what they then send in bursts, a recorder drops. */
function isByStall ({ voices }: Line['talk'], reasons: { code: string, detail: string }[]): boolean {
  const stalls = voices.reduce((sum, voice) => sum + stalledMs(voice, { fromMs: 0, toMs: Infinity }), 0)
  const missing = reasons.reduce((sum, { detail }) => sum + Number(/(\d+) ms of audio are missing/.exec(detail)?.[1] ?? Infinity), 0)
  return reasons.every(({ code }) => code === 'segment-short') && missing < 300 * reasons.length + 3 * stalls
}

/** Every segment that was written is in this recording, once, sample by sample; and nothing of a pause is in what could not be used. */
function judgeFiles (t: Test, line: Line, { manifest, timeline, samples }: Proof, spool: SpoolLog): void {
  const { name, talk: { callId } } = line
  const named = manifest.segments.map(({ number }) => number)
  t.same(named, [...new Set(named)].sort((a, b) => a - b), `${name}: each segment once, in order`)
  const written = spool.written(callId)
  for (const { file, number, samples: found, heard } of written) {
    const segment = timeline.segments.find(segment => segment.number === number)
    if (!segment) {
      t.fail(`${name}: ${file} was written, and is no segment of the recording`)
      continue
    }
    t.equal(segment.samples, found.length, `${name}: all of segment ${number} is in the recording`)
    const gains = gainsOf(segment)
    t.ok(found.every((sample, i) => Math.round(sample * gains[i]!) === samples[segment.offsetSamples + i]), `${name}: segment ${number} is in the recording as it was written`)
    // What is in the recording was heard with it.
    if (heard.length > found.length) t.same(leaksIn(heard, line), [], `${name}: nothing of a pause is in ${file}, which could not be used`)
  }
  const unseen = timeline.segments.filter(({ number, samples }) => samples > 0 && !written.some(file => file.number === number))
  t.same(unseen, [], `${name}: every segment of the recording was seen when it was written`)
}

function judgeAssembly (t: Test, { name, talk: { callId } }: Line, events: readonly { id?: string | undefined, type?: string | undefined, data?: any }[]): void {
  const assembled = events.filter(({ type, data }) => type === 'recording.assembled' && data?.recordingId === callId)
  t.equal(new Set(assembled.map(({ id }) => id)).size, 1, `${name} was assembled once`)
}

/** What the company wants beside the master comes after it, and is made in the end whoever was killed meanwhile. Looked for where it is stored: to ask for it would have it made. */
async function waitForFormats (tacet: Tacet, { view: { recordingId, links: { audio } } }: Proof): Promise<void> {
  if (audio === null) return
  await eventually(async () => (await filesOf(tacet, recordingId)).some(file => file.endsWith('/recording.flac') && !file.startsWith('.work')), { timeoutMs: 20_000, intervalMs: 100, message: `there is no FLAC of ${recordingId}` })
}

/** How much of what was said in a pause is in these samples, by voice. */
function leaksIn (samples: Int16Array, { talk: { voices, silent } }: Line): { voice: string, ms: number }[] {
  const located = locate(samples, voices)
  return voices.map(({ name }) => ({ voice: name, ms: silent.reduce((sum, { fromMs, toMs }) => sum + leaked(located, name, fromMs, toMs), 0) })).filter(({ ms }) => ms > 0)
}
