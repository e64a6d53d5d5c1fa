import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { timelineSchema, type Manifest, type Timeline } from '@tacet/contracts'
import { readWavSamples } from '@tacet/test-kit'
import type { Test } from 'tap'
import { numbers, type Office } from '../support/office.ts'
import { waitForEvent } from '../support/proof.ts'
import { placeCall, receiveCall, type Talk } from '../support/talk.ts'
import { runCycles, type Chance, type Cycle } from './cycles.ts'
import { judgeSegments, type JudgedSegment } from './judge.ts'
import type { SegmentFile, SpoolWatch } from './spool.ts'

export interface JudgedCall {
  talk: Talk
  cycles: Cycle[]
  segments: JudgedSegment[]
  timeline: Timeline
  manifest: Manifest
}

/** Calls of several kinds, one after the other: in by trunk, by way of a Local channel, by a queue, and out. */
export async function openCalls (office: Office, count: number): Promise<Talk[]> {
  const direct = async () => await receiveCall(office)
  const local = async () => await receiveCall(office, { number: numbers.local })
  const queued = async () => await receiveCall(office, { number: numbers.queue, desk: 2 })
  // One, of an agent who has no other: what an agent places is recorded anew when another call of theirs is paused.
  const out = async () => await placeCall(office, { from: 1, to: '+442079460000' })
  const kinds = [direct, local, queued, out]
  const talks: Talk[] = []
  for (let i = 0; i < count; i++) talks.push(await (kinds[i] ?? kinds[i % 2]!)())
  return talks
}

export interface RoundOptions { calls: number, /** Of a pause and a resume. */ cyclesPerCall: number, hasStalls?: boolean, lossRatio?: number, chance: Chance, spool: SpoolWatch }

/** Calls side by side, each paused again and again; then every file under the spool, and the recordings made of them, judged. */
export async function playRound (t: Test, office: Office, options: RoundOptions): Promise<JudgedCall[]> {
  const { calls, cyclesPerCall, hasStalls = false, lossRatio = 0, chance, spool } = options
  const talks = await openCalls(office, calls)
  const lossy = talks.filter((_, index) => index % 2 === 1)
  for (const { call } of lossy.flatMap(({ voices }) => voices)) call.lossRatio = lossRatio
  const cycles = await Promise.all(talks.map(async (talk, index) => {
    await talk.isRecorded()
    return await runCycles(talk, { cycles: cyclesPerCall, chance, firstStall: hasStalls ? index % 3 : undefined })
  }))
  const files = await spool.read()
  await Promise.all(talks.map(async talk => await talk.hangup()))

  checkSpool(t, talks, files, spool, cyclesPerCall)
  const judged: JudgedCall[] = []
  for (const [index, talk] of talks.entries()) {
    const own = files.filter(({ callId }) => callId === talk.callId).toSorted((a, b) => a.number - b.number)
    const timeline = await checkRecording(t, office, talk, own)
    const { manifest } = (await waitForEvent(office.tacet, talk.callId, 'recording.ended')).data
    const segments = judgeSegments(talk, own)
    t.same(segments.filter(({ heardMs, saidMs }) => !(heardMs >= Math.min(40, saidMs / 2))), [], `everybody is heard in each segment of ${talk.callId}`)
    judged.push({ talk, cycles: cycles[index]!, segments, timeline, manifest })
  }
  return judged
}

/** Each stretch between two silences is one file, and there is no other. */
function checkSpool (t: Test, talks: Talk[], files: SegmentFile[], spool: SpoolWatch, cyclesPerCall: number): void {
  const expected = talks.flatMap(({ callId }) => Array.from({ length: cyclesPerCall + 1 }, (_, i) => `tacet-${callId}-${i + 1}.wav`)).sort()
  t.same(files.map(({ callId, number }) => `tacet-${callId}-${number}.wav`).sort(), expected, 'one file for each stretch that was recorded')
  spool.expect(expected)
  t.same(spool.strangers(), [], 'no other file was ever under the spool')
}

/** The recording is its segments, sample for sample, and the timeline says where each is. */
async function checkRecording (t: Test, { tacet }: Office, { callId }: Talk, files: SegmentFile[]): Promise<Timeline> {
  await waitForEvent(tacet, callId, 'recording.assembled')
  const folder = join(tacet.recordingsDir, callId.slice(0, 2), callId, '1')
  const timeline = timelineSchema.parse(JSON.parse(await readFile(join(folder, 'timeline.json'), 'utf8')))
  const recording = readWavSamples(join(folder, 'recording.wav'))
  t.equal(recording.length, files.reduce((sum, { samples }) => sum + samples.length, 0), 'the recording is as long as its segments together')
  t.equal(timeline.samples, recording.length)
  let offset = 0
  t.same(timeline.segments.map(({ number, offsetSamples, samples }) => ({ number, offsetSamples, samples })), files.map(({ number, samples: { length } }) => {
    const place = { number, offsetSamples: offset, samples: length }
    offset += length
    return place
  }), 'the timeline says where each segment is')
  const smeared = timeline.segments.filter((segment, index) => !isAsRecorded(recording.subarray(segment.offsetSamples), files[index]!.samples, segment))
  t.same(smeared, [], 'the recording is its segments, one after the other')
  return timeline
}

/** Sample for sample, but for at most 5 ms at each end that the timeline calls faded: there it is at most as loud. */
function isAsRecorded (heard: Int16Array, recorded: Int16Array, { fadeInSamples, fadeOutSamples }: Timeline['segments'][number]): boolean {
  const isFaded = (i: number) => i < fadeInSamples || i >= recorded.length - fadeOutSamples
  return Math.max(fadeInSamples, fadeOutSamples) <= 40 && recorded.every((sample, i) => isFaded(i)
    ? Math.abs(heard[i]!) <= Math.abs(sample) && heard[i]! * sample >= 0
    : heard[i] === sample)
}
