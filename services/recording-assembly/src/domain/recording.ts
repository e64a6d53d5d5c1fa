import type { Manifest, Outcome, RecordingView } from '@tacet/contracts'
import type { Reason } from './segment.ts'

/** What is known of the recording of one call. */
export interface Recording {
  recordingId: string
  manifest: Manifest
  status: RecordingView['status']
  reasons: Reason[]
  /** These are null until there is an outcome; `sha256` also when there is no audio. */
  durationMs: number | null
  samples: number | null
  bytes: number | null
  sha256: string | null
}

export const outcomeOf = ({ status }: Recording): Outcome | null => status === 'waiting' || status === 'assembling' ? null : status

export function linksOf ({ recordingId, status, sha256 }: Pick<Recording, 'recordingId' | 'status' | 'sha256'>) {
  const recording = `/v1/recordings/${recordingId}`
  const isFinished = status === 'complete' || status === 'incomplete' || status === 'empty'
  return { recording, audio: sha256 === null ? null : `${recording}/audio`, timeline: isFinished ? `${recording}/timeline` : null }
}

export const agentIdsOf = ({ agents }: Manifest): string[] => [...new Set(agents.map(({ agentId }) => agentId))]

export function toView (recording: Recording): RecordingView {
  const { recordingId, manifest, status, reasons, durationMs, samples, sha256 } = recording
  const { audio, timeline } = linksOf(recording)
  return {
    recordingId,
    callId: manifest.callId,
    companyId: manifest.companyId,
    status,
    outcome: outcomeOf(recording),
    reasons,
    direction: manifest.direction,
    number: manifest.number,
    customer: manifest.customer,
    agentIds: agentIdsOf(manifest),
    startedAt: manifest.startedAt,
    endedAt: manifest.endedAt,
    durationMs,
    samples,
    sha256,
    gaps: manifest.gaps.length,
    links: { audio, timeline },
  }
}
