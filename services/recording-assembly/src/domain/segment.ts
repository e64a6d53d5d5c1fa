import { checkLength, lengthTolerance, type LengthCheck, type Wav, type WavFault } from '@tacet/audio'
import type { SampleRateHz, Segment } from '@tacet/contracts'
import type { PlannedSegment } from './plan.ts'

export interface Reason { code: string, detail: string }

/** What was found where a segment's file should be. */
export type Finding =
  | { kind: 'absent' }
  | { kind: 'bad', fault: WavFault, detail: string }
  | { kind: 'audio', path: string, wav: Wav }

export interface JudgedSegment extends PlannedSegment {
  /** What goes into the recording; null: nothing. */
  audio: { path: string, wav: Wav } | null
  samples: number
  /** Why the recording is not complete because of this segment. */
  reasons: Reason[]
  /** What is worth knowing without being a fault. */
  notes: string[]
  /** All that was in the file is in the recording, or there is no file: nothing is lost by deleting it. */
  isExpendable: boolean
}

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

export function judgeSegment (planned: PlannedSegment, finding: Finding, sampleRateHz: SampleRateHz): JudgedSegment {
  const { segment, file } = planned
  const faulty = (code: string, detail: string): JudgedSegment =>
    ({ ...planned, audio: null, samples: 0, reasons: [{ code, detail: `segment ${segment.number}: ${detail}` }], notes: [code], isExpendable: false })
  const nothing = (note: string): JudgedSegment => ({ ...planned, audio: null, samples: 0, reasons: [], notes: [note], isExpendable: true })

  if (planned.isForeign) return faulty('segment-foreign', `${file.name} is of another call`)
  switch (finding.kind) {
    case 'absent':
      return mayBeEmpty(segment, sampleRateHz) ? nothing('no-file') : faulty('segment-missing', `no file after ${openMsOf(segment)} ms of recording`)
    case 'bad': {
      const isHollow = finding.fault === 'empty' || finding.fault === 'truncated-header' || finding.fault === 'missing'
      if (isHollow && mayBeEmpty(segment, sampleRateHz)) return nothing('empty-file')
      return faulty('segment-unreadable', `${finding.fault}, ${finding.detail}`)
    }
    case 'audio':
      return judgeAudio(planned, finding, sampleRateHz, faulty)
  }
}

function judgeAudio (planned: PlannedSegment, { path, wav }: Extract<Finding, { kind: 'audio' }>, sampleRateHz: SampleRateHz, faulty: (code: string, detail: string) => JudgedSegment): JudgedSegment {
  const { segment } = planned
  const { format, samples, repairs } = wav
  if (format.sampleRateHz !== sampleRateHz || format.channels !== 1) {
    return faulty('segment-wrong-format', `${format.channels} × ${format.sampleRateHz} Hz instead of 1 × ${sampleRateHz} Hz`)
  }
  const judged: JudgedSegment = { ...planned, audio: samples > 0 ? { path, wav } : null, samples, reasons: [], notes: [], isExpendable: true }
  if (samples === 0 && mayBeEmpty(segment, sampleRateHz)) return { ...judged, notes: ['empty-file'] }

  const blame = (code: string, detail: string): void => {
    judged.reasons.push({ code, detail: `segment ${segment.number}: ${detail}` })
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

/** Asterisk may still be closing the file: worth another look a moment later. */
export const mayImprove = ({ reasons }: JudgedSegment): boolean =>
  reasons.some(({ code }) => code === 'segment-missing' || code === 'segment-unreadable' || code === 'segment-repaired' || code === 'segment-short')

export const isLong = ({ reasons }: JudgedSegment): boolean => reasons.some(({ code }) => code === 'segment-long')
