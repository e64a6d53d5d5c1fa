import type { Actor, EndReason, SilenceReason } from '@tacet/contracts'

/** Who or what asked, and under which command. */
export interface Cause { commandId: string | null, by: Actor }

export const byPolicy: Cause = { commandId: null, by: { kind: 'policy', agentId: null, credentialId: null } }

/**
 * A segment whose recorder may exist. `requestedAtMs`: when Asterisk was asked to start it, at first when we were.
 * `openedAtMs` is null until the recorder is proven to have started.
 */
export interface OpenSegment {
  number: number
  requestedAtMs: number
  openedAtMs: number | null
  /** When each track's recorder was proven to have started, in the order of the tracks; unknown after a recovery. */
  tracksOpenedAtMs?: number[]
}

export type Proof = 'event' | 'inspection' | 'deleted' | 'absent' | 'recovered'
export type ClosedBy = 'pause' | 'end' | 'lost' | 'superseded'

export interface ClosedSegment {
  number: number
  requestedAtMs: number
  openedAtMs: number
  tracksOpenedAtMs?: number[]
  closedAtMs: number
  closedBy: ClosedBy
  proof: Proof
  isUncertain: boolean
}

export type GapReason = SilenceReason | 'lost' | 'not-started'
export interface OpenGap { startedAtMs: number, endedAtMs: number | null, reasons: GapReason[], by: Actor[] }

/**
 * Where the recorder stands. `ending` is `ended` to the outside: the files are being closed. `isLost`: a recorder of the
 * segment vanished, and what is left of it is being stopped.
 */
export type Phase =
  | { status: 'off' }
  | { status: 'starting', segment: OpenSegment, cause: Cause, attempt: number }
  | { status: 'recording', segment: OpenSegment }
  | { status: 'pausing', segment: OpenSegment, cause: Cause, isLost?: true }
  | { status: 'paused' }
  | { status: 'resuming', segment: OpenSegment, cause: Cause, lifting: SilenceReason, attempt?: number }
  | { status: 'unconfirmed', segment: OpenSegment, cause: Cause, isLost?: true }
  | { status: 'ending', segment: OpenSegment, reason: EndReason, isLost?: true }
  | { status: 'ended', reason: EndReason }

export type PhaseName = Phase['status']

export interface Recording {
  phase: Phase
  reasons: SilenceReason[]
  /** Segment numbers are never reused, because a reused file name truncates the first file. */
  nextSegment: number
  segments: ClosedSegment[]
  gaps: OpenGap[]
  faults: string[]
  /** When the current state became true on the PBX. */
  effectiveAtMs: number
}

export const newRecording = (atMs: number): Recording => ({
  phase: { status: 'off' }, reasons: [], nextSegment: 1, segments: [], gaps: [], faults: [], effectiveAtMs: atMs,
})

/** A start or resume by the rules that keeps failing is given up, with an alarm, after this many recorders. */
export const maxStartAttempts = 5

/** The rules want it recorded and no recorder could be started: that is tried again for as long as the call lasts. */
export function isGivenUp ({ phase, gaps }: Recording): boolean {
  const gap = gaps.at(-1)
  return phase.status === 'off' && gap?.endedAtMs === null && gap.reasons.includes('lost') && !gap.reasons.includes('not-started')
}

/** A recorder that takes longer than this to start leaves a gap that the timeline must show. */
export const lateStartMs = 1000

export type RecordingInput =
  /** The rules say record. `missedSinceMs`: the call was answered before we saw it. */
  | { type: 'start', atMs: number, cause: Cause, missedSinceMs?: number }
  /** The rules say don't: remember when silence began. */
  | { type: 'stay-off', atMs: number }
  | { type: 'silence', atMs: number, reason: SilenceReason, cause: Cause }
  | { type: 'lift', atMs: number, reason: SilenceReason, cause: Cause }
  | { type: 'recorder-started', atMs: number, segment: number, requestedAtMs: number, tracksOpenedAtMs?: number[] }
  /** The start failed and the recorder is known not to run. */
  | { type: 'recorder-failed', atMs: number, segment: number, detail: string }
  /** The reservation of the segment could not be stored; no recorder was created. */
  | { type: 'not-stored', atMs: number, segment: number }
  | { type: 'recorder-stopped', atMs: number, segment: number, proof: Proof }
  | { type: 'stop-unproven', atMs: number, segment: number }
  /** After a recovery: the stop that was under way is asked for again. */
  | { type: 'stop-again', atMs: number, segment: number }
  /** A recorder of the segment vanished. Explained: the leg was replaced, or it had never been started. */
  | { type: 'recorder-lost', atMs: number, segment: number, isExplained: boolean }
  | { type: 'end', atMs: number, reason: EndReason }

export type RecordingEvent =
  | { type: 'recording.started' | 'recording.resumed', atMs: number, cause: Cause, segment: number }
  | { type: 'recording.paused' | 'recording.reasons-changed' | 'recording.unconfirmed', atMs: number, cause: Cause }
  | { type: 'recording.missing', atMs: number, detail: string }
  | { type: 'recording.ended', atMs: number, reason: EndReason }
  | { type: 'segment.opened', atMs: number, segment: number }
  | { type: 'segment.closed', atMs: number, segment: ClosedSegment }

/**
 * What the shell must do. `stop-recorder` is done at once, before anything is stored, so that nothing stands between
 * the request and the silence; the others only after the transition is stored.
 */
export type RecordingEffect =
  /** `isGuarded`: a person asked, and what was under way in the network before that stays out. */
  | { type: 'start-recorder', segment: number, cause: Cause, requestedAtMs: number, isGuarded: boolean, attempt: number }
  | { type: 'stop-recorder', segment: number, commandId: string | null, urgency: 'now' | 'again' | 'seal' }
  /** The stopped recorder was the evidence; now the database is. */
  | { type: 'discard-recorder', segment: number }

export interface RecordingTransition {
  recording: Recording
  events: RecordingEvent[]
  effects: RecordingEffect[]
  /** Set when the input changed nothing: why. */
  ignored?: string
}
