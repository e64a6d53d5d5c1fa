import { checkLength, lengthTolerance, type BadWav, type LengthCheck, type Wav, type WavFault } from '@tacet/audio'
import type { SampleRateHz, Segment, TrackFile } from '@tacet/contracts'
import type { PlannedTrack } from './plan.ts'

export interface Reason { code: string, detail: string }

/** What was found where a track's file should be. */
export type Finding =
  | { kind: 'absent' }
  | { kind: 'bad', fault: WavFault, detail: string }
  /** `resampledFromHz`: the path has what was made of a file of this rate. */
  | { kind: 'audio', path: string, wav: Wav, resampledFromHz?: number }

export interface JudgedTrack {
  file: TrackFile
  /** What goes into the recording; null: nothing. */
  audio: { path: string, wav: Wav } | null
  samples: number
  /** Why the recording is not complete because of this track. */
  reasons: Reason[]
  /** What is worth knowing without being a fault. */
  notes: string[]
  /** All that was in the file is in the recording, or there is no file: nothing is lost by deleting it. */
  isExpendable: boolean
}

export interface JudgedSegment { segment: Segment, tracks: JudgedTrack[] }

export const reasonsOf = ({ tracks }: JudgedSegment): Reason[] => tracks.flatMap(({ reasons }) => reasons)
export const notesOf = ({ tracks }: JudgedSegment): string[] => [...new Set(tracks.flatMap(({ notes }) => notes))]

const openMsOf = ({ requestedAt, closedAt }: Segment): number => Date.parse(closedAt) - Date.parse(requestedAt)

/** Too much is judged by when the recorder was asked to start, too little by when it was proven to run: on a busy machine those are apart. */
function measure (segment: Segment, samples: number, sampleRateHz: SampleRateHz, hasCrashed: boolean): LengthCheck {
  const since = (startedAt: string): LengthCheck => checkLength({
    samples,
    sampleRateHz,
    openedAtMs: Date.parse(startedAt),
    closedAtMs: Date.parse(segment.closedAt),
    toleranceMs: lengthTolerance({ openMs: openMsOf(segment), hasCrashed, sampleRateHz }),
  })
  const sinceOpen = since(segment.openedAt)
  if (sinceOpen.verdict === 'short') return sinceOpen
  const sinceRequest = since(segment.requestedAt)
  return sinceRequest.verdict === 'short' ? { ...sinceRequest, verdict: 'ok' } : sinceRequest
}

/** A stop right after the start leaves no file, or an empty one; so does a recorder that never ran. */
const mayBeEmpty = (segment: Segment, sampleRateHz: SampleRateHz): boolean =>
  segment.isUncertain || measure(segment, 0, sampleRateHz, false).verdict === 'ok'

export function judgeTrack (segment: Segment, { file, isForeign }: PlannedTrack, finding: Finding, sampleRateHz: SampleRateHz): JudgedTrack {
  const name = file.track === 'mix' ? `segment ${segment.number}` : `segment ${segment.number}, ${file.track}`
  const faulty = (code: string, detail: string): JudgedTrack =>
    ({ file, audio: null, samples: 0, reasons: [{ code, detail: `${name}: ${detail}` }], notes: [code], isExpendable: false })
  const nothing = (note: string): JudgedTrack => ({ file, audio: null, samples: 0, reasons: [], notes: [note], isExpendable: true })

  if (isForeign) return faulty('segment-foreign', `${file.name} is of another call`)
  switch (finding.kind) {
    case 'absent':
      return mayBeEmpty(segment, sampleRateHz) ? nothing('no-file') : faulty('segment-missing', `no file after ${openMsOf(segment)} ms of recording`)
    case 'bad': {
      const isHollow = finding.fault === 'empty' || finding.fault === 'truncated-header' || finding.fault === 'missing'
      if (isHollow && mayBeEmpty(segment, sampleRateHz)) return nothing('empty-file')
      return faulty('segment-unreadable', `${finding.fault}, ${finding.detail}`)
    }
    case 'audio':
      return isUsable(finding.wav, sampleRateHz)
        ? judgeAudio(segment, file, finding, sampleRateHz, name)
        : faulty('segment-wrong-format', `${finding.wav.format.channels} × ${finding.wav.format.sampleRateHz} Hz instead of 1 × ${sampleRateHz} Hz`)
  }
}

const isUsable = ({ format }: Wav, sampleRateHz: SampleRateHz): boolean => format.sampleRateHz === sampleRateHz && format.channels === 1

/** How many samples there are of it at another rate. */
export const samplesAt = ({ samples, format }: Wav, sampleRateHz: SampleRateHz): number => Math.round(samples * sampleRateHz / format.sampleRateHz)

/** What resampling may add or take at the ends. */
const FEW_SAMPLES = 16
/** What is shorter than the filter comes out shorter, or as nothing. */
const FILTER_SAMPLES = 256

/** What is wrong with what was made of a file at another rate; null: nothing. */
export function faultOfResampled (original: Wav, made: Wav | BadWav, sampleRateHz: SampleRateHz): string | null {
  if (!made.ok) return made.detail
  if (!isUsable(made, sampleRateHz)) return `${made.format.channels} × ${made.format.sampleRateHz} Hz`
  if (made.repairs.length > 0) return made.repairs.join(', ')
  const wanted = samplesAt(original, sampleRateHz)
  const least = wanted < FILTER_SAMPLES ? 0 : wanted - FEW_SAMPLES
  return made.samples < least || made.samples > wanted + FEW_SAMPLES ? `${made.samples} samples instead of ${wanted}` : null
}

function judgeAudio (segment: Segment, file: TrackFile, { path, wav, resampledFromHz }: Extract<Finding, { kind: 'audio' }>, sampleRateHz: SampleRateHz, name: string): JudgedTrack {
  const { samples, repairs } = wav
  const notes = resampledFromHz === undefined ? [] : [`resampled-from-${resampledFromHz}`]
  const judged: JudgedTrack = { file, audio: samples > 0 ? { path, wav } : null, samples, reasons: [], notes, isExpendable: true }
  if (samples === 0 && mayBeEmpty(segment, sampleRateHz)) return { ...judged, notes: ['empty-file'] }

  const blame = (code: string, detail: string): void => {
    judged.reasons.push({ code, detail: `${name}: ${detail}` })
    judged.notes.push(code)
  }
  if (repairs.length > 0) blame('segment-repaired', repairs.join(', '))
  const { verdict, differenceMs } = measure(segment, samples, sampleRateHz, repairs.includes('unfinished-header'))
  const difference = `${Math.round(Math.abs(differenceMs))} ms`
  if (verdict === 'long') blame('segment-long', `${difference} more audio than it was open`)
  else if (verdict === 'short' && segment.isUncertain) judged.notes.push('short')
  else if (verdict === 'short') blame('segment-short', `${difference} of audio are missing`)
  return judged
}

/** By so much our clock and call-control's may disagree. */
const CLOCKS_APART_MS = 10_000

/** For how long after the first look a file may get better: Asterisk closes it at about the time of `closedAt`, which is told by another clock than ours. */
export const patienceMs = ({ closedAt }: Segment, nowMs: number, settleMs: number): number => nowMs - Date.parse(closedAt) > CLOCKS_APART_MS ? 0 : settleMs

/** Asterisk may still be closing the file: worth another look a moment later. */
export const mayImprove = ({ reasons }: JudgedTrack): boolean =>
  reasons.some(({ code }) => code === 'segment-missing' || code === 'segment-unreadable' || code === 'segment-repaired' || code === 'segment-short')
