import { createReadStream } from 'node:fs'
import { basename, join } from 'node:path'
import { readWavFile, type Wav } from '@tacet/audio'
import type { SampleRateHz, Segment, TrackFile } from '@tacet/contracts'
import { pause } from '@tacet/service-kit'
import type { PlannedSegment, PlannedTrack } from '../domain/plan.ts'
import { faultOfResampled, judgeTrack, mayImprove, patienceMs, samplesAt, type Finding, type JudgedSegment, type JudgedTrack } from '../domain/segment.ts'
import { DependencyUnavailable, isSystemError } from './errors.ts'
import type { Encoder } from './file-ports.ts'
import type { SegmentSource } from './ports.ts'

export interface InspectSegment {
  source: SegmentSource
  /** What was fetched while the call went on. */
  copyOf: (file: TrackFile, signal: AbortSignal) => Promise<string | null>
  /** Null: what has another rate is judged as it would be once it was resampled. */
  encoder: Pick<Encoder, 'resample'> | null
  workDir: string
  sampleRateHz: SampleRateHz
  signal: AbortSignal
  /** How long after the first look a file that was closed just now may still be about to appear or be closed. */
  settleMs: number
  now: () => number
}

const FIRST_WAIT_MS = 25

/** Fetches and judges the files of one segment. */
export async function inspectSegment ({ segment, tracks }: PlannedSegment, options: InspectSegment): Promise<JudgedSegment> {
  return { segment, tracks: await Promise.all(tracks.map(async track => await inspectTrack(segment, track, options))) }
}

/** A file that is not right is looked at again for some time, if it was closed just now. */
async function inspectTrack (segment: Segment, planned: PlannedTrack, options: InspectSegment): Promise<JudgedTrack> {
  const { sampleRateHz, signal, settleMs, now } = options
  const copy = planned.isForeign ? null : await options.copyOf(planned.file, signal)
  if (copy !== null) {
    const judged = judgeTrack(segment, planned, await examine(planned, copy, options), sampleRateHz)
    if (judged.reasons.length === 0) return judged
  }
  const patience = patienceMs(segment, now(), settleMs)
  let deadlineMs: number | undefined
  for (let waitMs = FIRST_WAIT_MS; ; waitMs *= 2) {
    signal.throwIfAborted()
    const finding: Finding = planned.isForeign ? { kind: 'absent' } : await find(planned, options)
    const judged = judgeTrack(segment, planned, finding, sampleRateHz)
    deadlineMs ??= now() + patience
    if (!mayImprove(judged) || now() >= deadlineMs) return judged
    await pause(Math.min(waitMs, Math.max(1, deadlineMs - now())), signal)
  }
}

async function find (planned: PlannedTrack, options: InspectSegment): Promise<Finding> {
  const { source, workDir, signal } = options
  const path = await source.fetch(planned.file, workDir, signal)
  return path === null ? { kind: 'absent' } : await examine(planned, path, options)
}

async function examine (planned: PlannedTrack, path: string, options: InspectSegment): Promise<Finding> {
  try {
    const wav = await readWavFile(path)
    if (wav.ok) return needsResampling(wav, options) ? await resample(planned, path, wav, options) : { kind: 'audio', path, wav }
    // It was there just now. Only the source says that there is no such file, and it will be asked again.
    if (wav.fault === 'missing') throw new DependencyUnavailable('segments', `${planned.file.name} is gone after it was fetched`)
    return { kind: 'bad', fault: wav.fault, detail: wav.detail }
  } catch (error) {
    if (!isSystemError(error)) throw error
    throw new DependencyUnavailable('segments', `${planned.file.name} can't be read`, error)
  }
}

/** An older Asterisk, or a setting that was changed: not of the call's rate, but of one that a telephone call can have. */
const needsResampling = ({ format, samples }: Wav, { sampleRateHz }: InspectSegment): boolean =>
  format.channels === 1 && format.sampleRateHz !== sampleRateHz && format.sampleRateHz >= 8_000 && format.sampleRateHz <= 48_000 && samples > 0

async function resample ({ file }: PlannedTrack, input: string, wav: Wav, { encoder, workDir, sampleRateHz, signal }: InspectSegment): Promise<Finding> {
  const resampledFromHz = wav.format.sampleRateHz
  if (encoder === null) return { kind: 'audio', path: input, wav: { ...wav, format: { ...wav.format, sampleRateHz }, samples: samplesAt(wav, sampleRateHz) }, resampledFromHz }
  const path = join(workDir, `${basename(file.name)}.${sampleRateHz}.wav`)
  const { dataOffset, dataBytes } = wav
  await encoder.resample({ input: createReadStream(input, { start: dataOffset, end: dataOffset + dataBytes - 1 }), inputRateHz: resampledFromHz, output: path, sampleRateHz, signal })
  const made = await readWavFile(path)
  const fault = faultOfResampled(wav, made, sampleRateHz)
  if (fault !== null || !made.ok) throw new DependencyUnavailable('encoder', `${file.name} was resampled to ${fault}`)
  return { kind: 'audio', path, wav: { ...made, repairs: wav.repairs }, resampledFromHz }
}
