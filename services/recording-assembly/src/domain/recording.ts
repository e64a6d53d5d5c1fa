import type { AssemblyEventData, AssemblyEventType, CallAgent, Manifest, Outcome, RecordingView, TrackFile } from '@tacet/contracts'
import type { Reason } from './segment.ts'

export const masterFile = 'recording.wav'
export const timelineFile = 'timeline.json'
export const peaksFile = 'peaks.json'

type DeletionCause = AssemblyEventData<'recording.deleted'>['cause']
export type RecordingStatus = RecordingView['status']

/** By whom something was ordered, and why. */
export interface Order { reason: string, at: string, credentialId: string | null, agentId: string | null }
export type Hold = Order
export interface Deletion extends Order { cause: DeletionCause }
/** What is to be cut out: stretches of the recording in samples per channel of the version it was asked of. */
export interface PurgeOrder extends Order { purgeId: string, version: number, ranges: { from: number, to: number }[], segments: number[] }

/** What is known of the recording of one call. */
export interface Recording {
  recordingId: string
  manifest: Manifest
  status: RecordingStatus
  reasons: Reason[]
  /** Of the attempt under way or the last one. */
  generation: number
  /** The one that counts; null until there is an outcome. */
  storedGeneration: number | null
  version: number
  gaps: number
  /** These are null until there is an outcome; `sha256` also when there is no audio. */
  durationMs: number | null
  samples: number | null
  bytes: number | null
  sha256: string | null
  /** In base64url; null until it was measured. */
  sha512: string | null
  /** When the version that counts was made. */
  storedAt: Date | null
  retainUntil: Date | null
  hold: Hold | null
  purge: PurgeOrder | null
  deletedAt: Date | null
  deletion: Deletion | null
}

/** What is said of a recording, without what every event has. */
export type RecordingEvent = { [Type in AssemblyEventType]: { type: Type, data: Omit<AssemblyEventData<Type>, 'recordingId' | 'callId' | 'companyId' | 'at'> } }[AssemblyEventType]

export const outcomeOf = ({ status }: Pick<Recording, 'status'>): Outcome | null => status === 'waiting' || status === 'assembling' ? null : status

export function linksOf ({ recordingId, status, sha256 }: Pick<Recording, 'recordingId' | 'status' | 'sha256'>) {
  const recording = `/v1/recordings/${recordingId}`
  const isFinished = status === 'complete' || status === 'incomplete' || status === 'empty'
  return { recording, audio: sha256 === null ? null : `${recording}/audio`, timeline: isFinished ? `${recording}/timeline` : null }
}

/** As an event names them, for whoever does not know where we are; paths where nobody has told us. */
export function linksInEvent (recording: Pick<Recording, 'recordingId' | 'status' | 'sha256'>, publicUrl = '') {
  const links = linksOf(recording)
  return {
    recording: publicUrl + links.recording,
    audio: links.audio === null ? null : publicUrl + links.audio,
    timeline: publicUrl + (links.timeline ?? links.recording),
  }
}

/** Each once, however often they joined. */
export const agentsOf = ({ agents }: Manifest): CallAgent[] => [...new Map(agents.map(agent => [agent.agentId, agent])).values()]
export const agentIdsOf = (manifest: Manifest): string[] => agentsOf(manifest).map(({ agentId }) => agentId)

/** What may stay of a deleted recording: ids, and no name or number of anybody. */
export const aboutNobody = (manifest: Manifest): Manifest =>
  ({ ...manifest, number: null, customer: null, agents: manifest.agents.map(({ name: _, ...agent }) => agent) })

const dayMs = 86_400_000
export const retainUntilOf = ({ endedAt, settings: { retentionDays } }: Manifest): Date | null =>
  retentionDays === null ? null : new Date(Date.parse(endedAt) + retentionDays * dayMs)

export function toView (recording: Recording): RecordingView {
  const { recordingId, manifest, status, reasons, durationMs, samples, sha256, gaps, version, purge, hold, retainUntil } = recording
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
    gaps,
    version,
    isBeingPurged: purge !== null,
    isOnHold: hold !== null,
    retainUntil: retainUntil?.toISOString() ?? null,
    links: { audio, timeline },
  }
}

/** The segments' files on the PBX, without any that bear the name of another call. */
export function ownFilesOf ({ callId, aliases, segments }: Manifest): TrackFile[] {
  const prefixes = [callId, ...aliases].map(id => `tacet/tacet-${id}-`.toLowerCase())
  return segments.flatMap(({ tracks }) => tracks).filter(({ name }) => prefixes.some(prefix => name.toLowerCase().startsWith(prefix)))
}
