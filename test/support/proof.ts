import { createHash } from 'node:crypto'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readSamples, readWavFile } from '@tacet/audio'
import { payloadSchema, recordingViewSchema, timelineSchema, topics, type Manifest, type RecordingView, type Timeline } from '@tacet/contracts'
import { eventually, leaked, locate, missing, type ProbedEvent, type TimeRange } from '@tacet/test-kit'
import type { Test } from 'tap'
import type { Tacet } from './tacet.ts'
import type { Talk, Voice } from './talk.ts'

/** Everything that is told of a finished call, by whoever tells it. */
export interface Proof {
  /** Of the call, in their order. */
  events: ProbedEvent[]
  types: string[]
  manifest: Manifest
  view: RecordingView
  timeline: Timeline
  /** Of the first channel. */
  samples: Int16Array
  channels: Int16Array[]
}

/** At each end of a recorded stretch so much may be missing: Asterisk reads a recorder every 20 ms, and the network takes its time. */
const edgeMs = 60
/** Three packets that a machine busy with the tests themselves may lose, and a millisecond that the decoder may err. */
const lossMs = 101

/** Each once, as a consumer keeps them: a process killed between Kafka's answer and its own commit publishes some again, under the same ids. */
export const callEvents = ({ probe, topicPrefix }: Tacet, callId: string): ProbedEvent[] => {
  const seen = new Set<string | undefined>()
  return probe.events.filter(({ topic, data, id }) => topic === topicPrefix + topics.calls && data?.callId === callId && !seen.has(id) && seen.add(id))
}

export const auditOf = ({ probe, topicPrefix }: Tacet, callId: string): any[] =>
  probe.events.filter(({ topic, data }) => topic === topicPrefix + topics.audit && data?.callId === callId).map(({ data }) => data)

/** The commands of a call in the audit log, as the settings service serves it, oldest first, once it holds so many. Who listened is in it too. */
export async function auditTrail ({ settings }: Tacet, callId: string, entries: number): Promise<any[]> {
  return await eventually(async () => {
    const { body } = await settings(`/v1/audit?callId=${callId}`)
    const commands = body.items?.filter(({ action }: { action: string }) => action !== 'recording.listen') ?? []
    return commands.length >= entries && commands.toReversed()
  }, { timeoutMs: 20_000, message: `${entries} entries in the audit log` })
}

export const waitForEvent = async ({ probe }: Tacet, callId: string, type: string): Promise<ProbedEvent> =>
  await probe.waitFor(event => event.type === type && event.data?.callId === callId, { timeoutMs: 40_000, message: `no ${type}` })

/** Gathers what the parts say of a finished call, and checks that they agree. */
export async function proofOf (t: Test, tacet: Tacet, { callId }: Pick<Talk, 'callId'>, { outcomes = ['complete'] }: { outcomes?: string[] } = {}): Promise<Proof> {
  const [ended, assembled] = await Promise.all([waitForEvent(tacet, callId, 'recording.ended'), waitForEvent(tacet, callId, 'recording.assembled'), waitForEvent(tacet, callId, 'call.ended')])
  const manifest: Manifest = ended.data.manifest
  const events = checkEvents(t, tacet, callId)

  const ask = async (path: string) => await tacet.assembly(`/v1/recordings/${callId}${path}`, { token: tacet.supervisorToken })
  const view = recordingViewSchema.parse((await ask('')).body)
  const timeline = timelineSchema.parse((await ask('/timeline')).body)
  const { outcome, samples, sha256 } = timeline
  t.ok(outcomes.includes(outcome), `${outcome}, because of ${JSON.stringify(timeline.reasons)}`)
  t.same(timeline, JSON.parse(await readFile(join(await generationDir(tacet, callId), 'timeline.json'), 'utf8')))
  t.match(view, { status: outcome, samples, sha256, gaps: timeline.gaps.length, durationMs: samples * 1000 / timeline.sampleRateHz })
  t.match(assembled.data, { outcome, samples, sha256, gaps: timeline.gaps.length })
  agreeOnSegments(t, events, manifest, timeline)
  t.same(timeline.gaps.map(({ atSample: _, samples: __, durationMs: ___, ...gap }) => gap), manifest.gaps)

  const status = await tacet.callControl(`/v1/calls/${callId}/recording`, { token: tacet.supervisorToken })
  t.match(status.body, { state: 'ended', endReason: manifest.endReason, allowedActions: [], segments: manifest.segments.map(({ number, openedAt, closedAt }) => ({ number, openedAt, closedAt })) })
  const channels = view.links.audio === null ? [new Int16Array(0)] : await fetchAudio(t, tacet, view)
  t.equal(channels.length, timeline.channels)
  for (const audio of channels) t.equal(audio.length, samples, 'the file is as long as the timeline says')
  const kept = filesToKeep(timeline)
  await eventually(async () => (await segmentFiles(tacet, callId)).every(file => kept.test(file)), { message: 'segments were left on the PBX' })
  return { events, types: events.map(({ type }) => type ?? ''), manifest, view, timeline, samples: channels[0]!, channels }
}

/** Nothing of these segments could be used: somebody may want to look at what is there. */
function filesToKeep ({ callId, segments }: Timeline): RegExp {
  const numbers = segments.filter(({ notes }) => notes.some(note => /^segment-(unreadable|wrong-format|foreign)$/.test(note))).map(({ number }) => number)
  return new RegExp(`^tacet-${callId}-(${numbers.join('|')})(-in|-out)?\\.`)
}

/** Of the attempt that made the recording: earlier ones have left nothing. */
async function generationDir ({ recordingsDir }: Tacet, recordingId: string): Promise<string> {
  const folder = join(recordingsDir, recordingId.slice(0, 2), recordingId)
  return join(folder, (await readdir(folder)).toSorted((one, other) => Number(other) - Number(one))[0] ?? '1')
}

/** A call that was never to be recorded leaves no recording: not even an empty one. */
export async function checkUnrecorded (t: Test, tacet: Tacet, { callId }: Pick<Talk, 'callId'>): Promise<string[]> {
  await waitForEvent(tacet, callId, 'call.ended')
  const types = checkEvents(t, tacet, callId).map(({ type }) => type ?? '')
  t.notOk(types.some(type => /^(recording|segment)/.test(type)), 'no event of a recording')
  t.match((await tacet.callControl(`/v1/calls/${callId}/recording`, { token: tacet.supervisorToken })).body, { state: 'ended', segments: [] })
  t.match((await tacet.assembly(`/v1/recordings/${callId}`, { token: tacet.supervisorToken })).problem(), { status: 404, code: 'recording-not-found' })
  t.same(await filesOf(tacet, callId), [], 'no file anywhere')
  return types
}

function checkEvents (t: Test, tacet: Tacet, callId: string): ProbedEvent[] {
  const events = callEvents(tacet, callId)
  t.same(events.map(({ data }) => data.seq), events.map((_, index) => index + 1), 'events are numbered without a hole')
  for (const { topic, type = '', key, data } of events) {
    if (key !== callId || !payloadSchema(topics.calls, type)?.safeParse(data).success) t.fail(`${type} in ${topic} is not what the contract says`, { key, data })
  }
  return events
}

function agreeOnSegments (t: Test, events: ProbedEvent[], manifest: Manifest, timeline: Timeline): void {
  t.same(events.filter(({ type }) => type === 'segment.closed').map(({ data }) => data.segment), manifest.segments)
  t.same(timeline.segments.map(({ number, startedAt, endedAt }) => ({ number, startedAt, endedAt })),
    manifest.segments.map(({ number, openedAt, closedAt }) => ({ number, startedAt: openedAt, endedAt: closedAt })))
  t.equal([...timeline.segments, ...timeline.fills].reduce((sum, stretch) => sum + stretch.samples, 0), timeline.samples, 'the recording is as long as its segments and fills together')
}

/** Channel by channel. */
async function fetchAudio (t: Test, { assembly, ...tacet }: Tacet, { recordingId, sha256, links }: RecordingView): Promise<Int16Array[]> {
  const response = await fetch(new URL(links.audio ?? '', tacet.services['recording-assembly'].url), { headers: { authorization: `Bearer ${tacet.supervisorToken}` } })
  const bytes = Buffer.from(await response.arrayBuffer())
  t.equal(createHash('sha256').update(bytes).digest('hex'), sha256)
  const file = join(tacet.recordingsDir, `${recordingId}.wav`)
  await writeFile(file, bytes)
  const wav = await readWavFile(file)
  if (!wav.ok) throw new Error(wav.detail)
  const samples = await readSamples(file, wav)
  const { channels } = wav.format
  return Array.from({ length: channels }, (_, channel) => Int16Array.from({ length: wav.samples }, (_, i) => samples[i * channels + channel]!))
}

/** The events of the people and those of the recording each came in this order. Which of the two ends first depends on whose leg is gone first. */
export function checkStory (t: Test, types: string[], expected: string[]): void {
  const isOfPeople = (type: string) => type.startsWith('call.')
  t.same(types.filter(isOfPeople), expected.filter(isOfPeople), 'the events of the call')
  t.same(types.filter(type => !isOfPeople(type)), expected.filter(type => !isOfPeople(type)), 'the events of the recording')
}

/** The files that recorders of a call left in Asterisk's spool. */
export async function segmentFiles ({ stack: { spoolDir } }: Tacet, callId: string): Promise<string[]> {
  if (spoolDir === null) throw new Error('this test looks into the spool of Asterisk: it needs a stack that shares it')
  const files = await readdir(join(spoolDir, 'tacet'))
  return files.filter(file => file.startsWith(`tacet-${callId}-`))
}

/** Whatever bears the id of the call on a disk: in the spool of Asterisk, and where recordings are assembled and kept. */
export async function filesOf ({ stack: { spoolDir }, recordingsDir }: Tacet, callId: string): Promise<string[]> {
  if (spoolDir === null) throw new Error('this test looks into the spool of Asterisk: it needs a stack that shares it')
  const found = await Promise.all([spoolDir, recordingsDir].map(dir => readdir(dir, { recursive: true })))
  return found.flat().filter(file => file.includes(callId))
}

/** What some of the people said while they were recorded, and while they were not. */
export type Expected = Pick<Talk, 'voices' | 'recorded' | 'silent'>

/** The audio agrees with what was commanded: nothing of the silent stretches is there, and all of the recorded ones but their edges. */
export function checkAudio (t: Test, { samples }: Pick<Proof, 'samples'>, ...expected: Expected[]): void {
  const located = locate(samples, [...new Set(expected.flatMap(({ voices }) => voices))])
  for (const { voice, recorded, silent } of expected.flatMap(({ voices, ...ranges }) => voices.map(voice => ({ voice, ...ranges })))) {
    for (const range of silent) {
      // A phone that was held up says nothing for a moment.
      if (range.toMs - range.fromMs >= 200) t.ok(said(voice, range) > 0, `${voice.name} said something ${describe(range)}`)
      t.equal(leaked(located, voice.name, range.fromMs, range.toMs), 0, `nothing of ${voice.name} ${describe(range)} is there`)
    }
    for (const range of recorded) {
      const { fromMs, toMs } = range
      const toleratedMs = lossMs + 3 * stalledMs(voice, range)
      t.ok(said(voice, range) > 4 * edgeMs, `${voice.name} spoke long enough ${describe(range)}`)
      const all = missing(located, voice.name, fromMs, toMs)
      t.ok(all <= 2 * edgeMs + toleratedMs, `${all} ms of ${voice.name} ${describe(range)} are missing`)
      const inside = missing(located, voice.name, fromMs + edgeMs, toMs - edgeMs)
      t.ok(inside <= toleratedMs, `${inside} ms of ${voice.name} ${describe(range)} are missing but for the edges; ${toleratedMs} would be tolerated`)
    }
  }
}

const said = ({ sentPackets }: Voice, { fromMs, toMs }: TimeRange): number => 20 * sentPackets.filter(({ sentAtMs }) => sentAtMs >= fromMs && sentAtMs < toMs).length
/** How long the phone itself was held up. It then sends in bursts, for each of which a recorder drops what it had queued: up to three times as much. */
export function stalledMs ({ sentPackets }: Voice, { fromMs, toMs }: TimeRange): number {
  const times = sentPackets.map(({ sentAtMs }) => sentAtMs).filter(atMs => atMs >= fromMs && atMs < toMs)
  return times.reduce((sum, atMs, index) => sum + Math.max(0, atMs - (times[index - 1] ?? atMs) - 25), 0)
}

const describe = ({ fromMs, toMs }: TimeRange): string => `from ${new Date(fromMs).toISOString().slice(14)} to ${Number.isFinite(toMs) ? new Date(toMs).toISOString().slice(14) : 'the end'}`
