import type { SilenceReason } from '@tacet/contracts'
import { closeGap, widenGap, withGap } from './gaps.ts'
import {
  isGivenUp, lateStartMs, maxStartAttempts, type Cause, type ClosedBy, type ClosedSegment, type GapReason, type OpenSegment, type Phase, type Proof, type Recording, type RecordingInput, type RecordingTransition,
} from './recording.ts'

type InputOf<T extends RecordingInput['type']> = Extract<RecordingInput, { type: T }>
type PhaseOf<S extends Phase['status']> = Extract<Phase, { status: S }>

const recovery: Cause = { commandId: null, by: { kind: 'recovery', agentId: null, credentialId: null } }

/** The recorder's state machine: total, pure, and deaf once the recording has ended. */
export function transition (recording: Recording, input: RecordingInput): RecordingTransition {
  if (recording.phase.status === 'ended') return ignored(recording, 'the recording has ended')
  switch (input.type) {
    case 'start': return start(recording, input)
    case 'stay-off': return stayOff(recording, input)
    case 'silence': return silence(recording, input)
    case 'lift': return lift(recording, input)
    case 'recorder-started': return recorderStarted(recording, input)
    case 'recorder-failed': return recorderFailed(recording, input)
    case 'not-stored': return notStored(recording, input)
    case 'recorder-stopped': return recorderStopped(recording, input)
    case 'stop-unproven': return stopUnproven(recording, input)
    case 'stop-again': return stopAgain(recording, input)
    case 'recorder-lost': return recorderLost(recording, input)
    case 'end': return end(recording, input)
  }
}

function start (recording: Recording, { atMs, cause, missedSinceMs }: InputOf<'start'>): RecordingTransition {
  if (recording.phase.status !== 'off') return ignored(recording, 'it was started before')
  const missed = missedSinceMs === undefined ? recording : withGap(recording, missedSinceMs, ['lost'], recovery)
  if (recording.reasons.length > 0) return changed({ ...withGap(missed, atMs, recording.reasons, cause), phase: { status: 'paused' } }, atMs, [{ type: 'recording.paused', atMs, cause }])
  return reserve(missed, atMs, cause, isGivenUp(recording) ? maxStartAttempts : 1)
}

function stayOff (recording: Recording, { atMs }: InputOf<'stay-off'>): RecordingTransition {
  if (recording.phase.status !== 'off' || recording.gaps.length > 0) return ignored(recording, 'it is not off for the first time')
  return changed({ ...recording, gaps: [{ startedAtMs: atMs, endedAtMs: null, reasons: ['not-started'], by: [] }] }, atMs)
}

function silence (before: Recording, { atMs, reason, cause }: InputOf<'silence'>): RecordingTransition {
  const { phase } = before
  const isNew = !before.reasons.includes(reason)
  const recording = isNew ? { ...before, reasons: [...before.reasons, reason].sort() } : before
  switch (phase.status) {
    case 'off':
      // Whoever pauses what is still to be started must find it paused when it could be.
      if (isGivenUp(recording)) return pause(recording, atMs, recording.reasons, cause)
      return reason === 'agent' || !isNew ? ignored(before, 'it is off anyway') : changed(recording, atMs, [{ type: 'recording.reasons-changed', atMs, cause }])
    case 'starting': case 'resuming': case 'recording':
      return {
        recording: { ...recording, phase: { status: 'pausing', segment: phase.segment, cause } },
        events: [],
        effects: [{ type: 'stop-recorder', segment: phase.segment.number, commandId: cause.commandId, urgency: 'now' }],
      }
    case 'pausing': case 'unconfirmed':
      if (!isNew) return ignored(before, 'a pause is under way')
      // Of a stop that nobody had asked for it becomes a pause of theirs.
      return changed(before.reasons.length === 0 ? { ...recording, phase: { ...phase, cause } } : recording, atMs)
    case 'paused':
      if (!isNew) return ignored(before, 'it is paused for that reason')
      return changed(widenGap(recording, reason, cause), atMs, [{ type: 'recording.reasons-changed', atMs, cause }])
    case 'ending': case 'ended':
      return ignored(before, 'it is ending')
  }
}

function lift (recording: Recording, { atMs, reason, cause }: InputOf<'lift'>): RecordingTransition {
  const { phase } = recording
  const remaining = recording.reasons.filter(other => other !== reason)
  if (phase.status !== 'off' && phase.status !== 'paused') return ignored(recording, `nothing to lift while ${phase.status}`)
  if (remaining.length > 0) return withdraw(recording, remaining, atMs, cause)
  if (phase.status === 'off') {
    // What the rules silenced, the rules may lift; only a person starts what the rules don't record.
    const isStart = reason !== 'policy' && reason !== 'hold'
    return isStart ? reserve({ ...recording, reasons: [] }, atMs, cause, 1) : withdraw(recording, remaining, atMs, cause)
  }
  return reserveResume(recording, atMs, cause, reason, 1)
}

function withdraw (recording: Recording, remaining: SilenceReason[], atMs: number, cause: Cause): RecordingTransition {
  if (remaining.length === recording.reasons.length) return ignored(recording, 'it is not silent for that reason')
  return changed({ ...recording, reasons: remaining }, atMs, [{ type: 'recording.reasons-changed', atMs, cause }])
}

function recorderStarted (recording: Recording, { atMs, segment, requestedAtMs, tracksOpenedAtMs }: InputOf<'recorder-started'>): RecordingTransition {
  const { phase } = recording
  if (!('segment' in phase) || phase.segment.number !== segment) {
    // Whatever started there must not go on: nobody would ever stop it.
    return { ...ignored(recording, 'that segment is not open'), effects: [{ type: 'discard-recorder', segment }] }
  }
  const opened = { ...phase.segment, requestedAtMs, openedAtMs: atMs, ...(tracksOpenedAtMs && { tracksOpenedAtMs }) }
  if (phase.status !== 'starting' && phase.status !== 'resuming') {
    return phase.segment.openedAtMs === null ? changed({ ...recording, phase: { ...phase, segment: opened } }, recording.effectiveAtMs) : ignored(recording, 'it was known to be open')
  }
  const isResume = phase.status === 'resuming'
  return changed({
    ...closeGap(noteLateStart(recording, phase.segment.requestedAtMs, atMs), atMs),
    reasons: isResume ? recording.reasons.filter(reason => reason !== phase.lifting) : recording.reasons,
    phase: { status: 'recording', segment: opened },
  }, atMs, [
    { type: 'segment.opened', atMs, segment },
    { type: isResume || recording.segments.some(closed => !closed.isUncertain) ? 'recording.resumed' : 'recording.started', atMs, cause: phase.cause, segment },
  ])
}

function recorderFailed (recording: Recording, { atMs, segment, detail }: InputOf<'recorder-failed'>): RecordingTransition {
  const { phase } = recording
  if (!('segment' in phase) || phase.segment.number !== segment) return ignored(recording, 'that segment is not open')
  if (phase.status !== 'starting' && phase.status !== 'resuming') return recorderStopped(recording, { type: 'recorder-stopped', atMs, segment, proof: 'absent' })
  const closed = closeSegment(recording, phase.segment, atMs, 'superseded', 'absent')
  // Whoever asked for it hears that it failed, and may ask again; the rules ask nobody.
  const canRetry = phase.cause.commandId === null && (phase.attempt ?? 1) < maxStartAttempts
  if (phase.status === 'resuming') return resumeFailed(closed, phase, canRetry, atMs, detail)
  const failed = withGap(noteFault(closed.recording, 'recorder-failed'), atMs, ['lost'], recovery)
  if (canRetry) return after(closed, reserve(failed, atMs, phase.cause, phase.attempt + 1))
  return changed({ ...failed, phase: { status: 'off' } }, atMs, [...closed.events, { type: 'recording.missing', atMs, detail }])
}

/** What the rules silenced and can't lift is given up as a start is: it stays silent, and an agent may lift it. */
function resumeFailed (closed: Closed, { cause, lifting, attempt = 1 }: PhaseOf<'resuming'>, canRetry: boolean, atMs: number, detail: string): RecordingTransition {
  if (cause.commandId !== null) return changed({ ...closed.recording, phase: { status: 'paused' } }, atMs, closed.events)
  const failed = withGap(noteFault(closed.recording, 'recorder-failed'), atMs, ['lost'], recovery)
  if (canRetry) return after(closed, reserveResume(failed, atMs, cause, lifting, attempt + 1))
  const reasons = [...new Set([...failed.reasons.filter(reason => reason !== lifting), 'agent' as const])].sort()
  return changed({ ...failed, reasons, phase: { status: 'paused' } }, atMs, [
    ...closed.events,
    { type: 'recording.reasons-changed', atMs, cause: recovery },
    { type: 'recording.missing', atMs, detail },
  ])
}

function notStored (recording: Recording, { atMs, segment }: InputOf<'not-stored'>): RecordingTransition {
  const { phase } = recording
  if ((phase.status !== 'starting' && phase.status !== 'resuming') || phase.segment.number !== segment) return ignored(recording, 'no such reservation')
  return changed({ ...recording, phase: { status: phase.status === 'resuming' ? 'paused' : 'off' } }, atMs)
}

function recorderStopped (recording: Recording, { atMs, segment, proof }: InputOf<'recorder-stopped'>): RecordingTransition {
  const { phase } = recording
  if (!('segment' in phase) || phase.segment.number !== segment) return ignored(recording, 'that segment is not open')
  switch (phase.status) {
    case 'pausing': case 'unconfirmed': {
      const closed = closeSegment(recording, phase.segment, atMs, phase.isLost ? 'lost' : 'pause', proof)
      const result = after(closed, phase.isLost ? settleLoss(closed, phase, atMs) : pause(closed.recording, atMs, recording.reasons, phase.cause))
      return { ...result, effects: [{ type: 'discard-recorder', segment }, ...result.effects] }
    }
    case 'ending': {
      const closed = closeSegment(recording, phase.segment, atMs, phase.isLost ? 'lost' : 'end', proof)
      return { ...after(closed, seal(closed.recording, atMs, phase.reason)), effects: [{ type: 'discard-recorder', segment }] }
    }
    case 'starting': case 'resuming': case 'recording':
      return recorderLost(recording, { type: 'recorder-lost', atMs, segment, isExplained: false })
  }
}

const pause = (recording: Recording, atMs: number, reasons: readonly GapReason[], cause: Cause): RecordingTransition =>
  changed(withGap({ ...recording, phase: { status: 'paused' } }, atMs, reasons, cause), atMs, [{ type: 'recording.paused', atMs, cause }])

/** Nothing is left of a lost segment: it records on where nobody wants silence, and is paused where somebody does. */
function settleLoss ({ recording }: Closed, { segment: { openedAtMs, requestedAtMs }, cause }: PhaseOf<'pausing' | 'unconfirmed'>, atMs: number): RecordingTransition {
  // One that was never proven to run is not known to have recorded anything.
  const withLoss = withGap(recording, openedAtMs === null ? requestedAtMs : atMs, ['lost'], recovery)
  if (recording.reasons.length === 0) return reserve(withLoss, atMs, cause, 1)
  return pause(withLoss, atMs, cause.by.kind === 'recovery' ? [] : recording.reasons, cause)
}

function stopUnproven (recording: Recording, { atMs, segment }: InputOf<'stop-unproven'>): RecordingTransition {
  const { phase } = recording
  if (!('segment' in phase) || phase.segment.number !== segment) return ignored(recording, 'that segment is not open')
  if (phase.status === 'pausing' || phase.status === 'starting' || phase.status === 'resuming') {
    // A start that failed and may all the same have left a recorder running is as bad as a pause nobody can prove.
    const reasons = recording.reasons.length > 0 ? recording.reasons : ['agent' as const]
    const { segment: open, cause } = phase
    const isLost = phase.status === 'pausing' && phase.isLost ? { isLost: phase.isLost } : {}
    return {
      recording: noteFault({ ...recording, reasons, phase: { status: 'unconfirmed', segment: open, cause, ...isLost }, effectiveAtMs: atMs }, 'pause-unconfirmed'),
      events: [{ type: 'recording.unconfirmed', atMs, cause: phase.cause }],
      effects: [{ type: 'stop-recorder', segment, commandId: phase.cause.commandId, urgency: 'again' }],
    }
  }
  if (phase.status === 'unconfirmed') return { ...ignored(recording, 'still unproven'), effects: [{ type: 'stop-recorder', segment, commandId: phase.cause.commandId, urgency: 'again' }] }
  if (phase.status === 'recording') return ignored(recording, 'no stop is under way')
  const closed = closeSegment(noteFault(recording, 'close-unproven'), phase.segment, atMs, phase.isLost ? 'lost' : 'end', 'recovered')
  return after(closed, seal(closed.recording, atMs, phase.reason))
}

function stopAgain (recording: Recording, { segment }: InputOf<'stop-again'>): RecordingTransition {
  const { phase } = recording
  if (!('segment' in phase) || phase.segment.number !== segment) return ignored(recording, 'that segment is not open')
  if (phase.status === 'ending') return { ...ignored(recording, 'stopping again'), effects: [{ type: 'stop-recorder', segment, commandId: null, urgency: 'seal' }] }
  if (phase.status !== 'pausing' && phase.status !== 'unconfirmed') return ignored(recording, 'no stop is under way')
  return { ...ignored(recording, 'stopping again'), effects: [{ type: 'stop-recorder', segment, commandId: phase.cause.commandId, urgency: 'now' }] }
}

/** Of two tracks one may go on alone: a loss is a stop that nobody asked for, and silence is said when all are proven stopped. */
function recorderLost (recording: Recording, { atMs, segment, isExplained }: InputOf<'recorder-lost'>): RecordingTransition {
  const { phase } = recording
  if (!('segment' in phase) || phase.segment.number !== segment) return ignored(recording, 'that segment is not open')
  if (phase.status !== 'recording' && phase.status !== 'starting' && phase.status !== 'resuming') return ignored(recording, 'it is being stopped')
  const cause = isExplained && phase.status === 'starting' ? phase.cause : recovery
  const lost: Recording = { ...recording, phase: { status: 'pausing', segment: phase.segment, cause, isLost: true } }
  const effects = [{ type: 'stop-recorder' as const, segment, commandId: null, urgency: 'now' as const }]
  if (isExplained || phase.status === 'resuming') return { recording: lost, events: [], effects }
  // Nobody knows why it stopped, so somebody may have meant it: stay silent, say so, and let an agent lift it.
  return {
    recording: noteFault({ ...lost, reasons: ['agent'] }, 'recorder-lost'),
    events: [{ type: 'recording.missing', atMs, detail: 'the recorder vanished and nothing explains it' }],
    effects,
  }
}

function end (recording: Recording, { atMs, reason }: InputOf<'end'>): RecordingTransition {
  const { phase } = recording
  switch (phase.status) {
    case 'off': case 'paused':
      return seal(recording, atMs, reason)
    case 'starting': case 'resuming': case 'recording': case 'pausing': case 'unconfirmed':
      return {
        recording: { ...recording, phase: { status: 'ending', segment: phase.segment, reason, ...('isLost' in phase && { isLost: true }) } },
        events: [],
        effects: [{ type: 'stop-recorder', segment: phase.segment.number, commandId: null, urgency: 'seal' }],
      }
    case 'ending': case 'ended':
      return ignored(recording, 'it is ending')
  }
}

function reserve (recording: Recording, atMs: number, cause: Cause, attempt: number): RecordingTransition {
  return reserved(recording, atMs, cause, attempt, segment => ({ status: 'starting', segment, cause, attempt }))
}

/** The reason stays in the set until the recorder is proven to run: dying before that leaves the pause in force. */
function reserveResume (recording: Recording, atMs: number, cause: Cause, lifting: SilenceReason, attempt: number): RecordingTransition {
  return reserved(recording, atMs, cause, attempt, segment => ({ status: 'resuming', segment, cause, lifting, attempt }))
}

function reserved (recording: Recording, atMs: number, cause: Cause, attempt: number, phaseOf: (segment: OpenSegment) => Phase): RecordingTransition {
  const segment: OpenSegment = { number: recording.nextSegment, openedAtMs: null, requestedAtMs: atMs }
  const phase = phaseOf(segment)
  return {
    recording: { ...recording, nextSegment: recording.nextSegment + 1, phase },
    events: [],
    effects: [{ type: 'start-recorder', segment: segment.number, cause, requestedAtMs: atMs, isGuarded: phase.status === 'resuming' || cause.commandId !== null, attempt }],
  }
}

type Closed = ReturnType<typeof closeSegment>

/** What comes of it once the segment is closed. */
const after = (closed: Closed, next: RecordingTransition): RecordingTransition => ({ ...next, events: [...closed.events, ...next.events] })

function closeSegment (recording: Recording, open: OpenSegment, atMs: number, closedBy: ClosedBy, proof: Proof) {
  const segment: ClosedSegment = {
    number: open.number,
    requestedAtMs: open.requestedAtMs,
    openedAtMs: open.openedAtMs ?? open.requestedAtMs,
    ...(open.tracksOpenedAtMs && { tracksOpenedAtMs: open.tracksOpenedAtMs }),
    closedAtMs: Math.max(atMs, open.openedAtMs ?? open.requestedAtMs),
    closedBy,
    proof,
    isUncertain: open.openedAtMs === null,
  }
  return {
    recording: { ...recording, segments: [...recording.segments, segment] },
    events: [{ type: 'segment.closed' as const, atMs, segment }],
  }
}

function seal (recording: Recording, atMs: number, reason: 'hangup' | 'transfer' | 'policy'): RecordingTransition {
  const ended: Recording = { ...closeGap(recording, atMs), phase: { status: 'ended', reason } }
  // What was never to be recorded leaves nothing to assemble.
  const hasBegun = recording.phase.status !== 'off' || recording.nextSegment > 1
  return changed(ended, atMs, hasBegun ? [{ type: 'recording.ended', atMs, reason }] : [])
}

/** A start by the rules waits for the database, and that wait is missing from the recording. */
function noteLateStart (recording: Recording, reservedAtMs: number, atMs: number): Recording {
  if (recording.phase.status !== 'starting' || atMs - reservedAtMs < lateStartMs) return recording
  return withGap(noteFault(recording, 'started-late'), reservedAtMs, ['lost'], recovery)
}

const noteFault = (recording: Recording, fault: string): Recording =>
  recording.faults.includes(fault) ? recording : { ...recording, faults: [...recording.faults, fault] }

const changed = (recording: Recording, atMs: number, events: RecordingTransition['events'] = []): RecordingTransition =>
  ({ recording: { ...recording, effectiveAtMs: atMs }, events, effects: [] })

const ignored = (recording: Recording, why: string): RecordingTransition => ({ recording, events: [], effects: [], ignored: why })
