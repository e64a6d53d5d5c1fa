import type { RecorderDriver, RecorderStatus } from '@tacet/ari'
import { isRecorderOf, recorderId, type Call } from '../domain/call.ts'
import type { Cause, Phase, RecordingInput } from '../domain/recording.ts'
import type { PbxSnapshot } from '../domain/pbx.ts'
import type { CallFollower } from './follow-calls.ts'
import type { AnswerBook } from './command-recording.ts'
import type { CallSession } from './call-session.ts'
import { auditMessage, type Attempt } from './audit-attempt.ts'
import type { CallStore, PauseIntent } from './ports.ts'

export interface ReconcileOptions {
  follower: CallFollower
  store: CallStore
  answerBook: AnswerBook
  driver: Pick<RecorderDriver, 'list' | 'discard' | 'stop'>
  snapshot: () => Promise<PbxSnapshot>
  clock: () => number
  newId: () => string
  discardTimeoutMs: number
  onStray: (recorderId: string) => void
  /** A pause that was taken up could not be proven or stored yet. */
  onAdoptionFailure: (error: unknown) => void
}

/** A pause of which nothing is known but that the PBX shows it. */
const unknownAttempt = (cause: Cause, requestedAtMs: number): Attempt => ({ action: 'pause', cause, askedBy: cause.by.kind, requestedAtMs, address: null, detail: {} })

const recoveryCause = (commandId: string | null): Cause => ({ commandId, by: { kind: 'recovery', agentId: null, credentialId: null } })

/**
 * Compares what is stored with what the PBX shows, and feeds the differences through the same transitions as ever.
 * Runs at start and after every reconnect; running it once more changes nothing. It never lifts a pause.
 * The database is read the first time only: after that nobody but us has written, and a PBX that comes back need not wait for it.
 */
export function createReconciler ({ follower, store, answerBook, driver, snapshot, clock, newId, discardTimeoutMs, onStray, onAdoptionFailure }: ReconcileOptions) {
  let hasAdopted = false

  async function run (): Promise<void> {
    // Recorders are listed first: one that starts afterwards belongs to a session that is busy with it.
    const recorders = new Map((await driver.list()).map(recorder => [recorder.recorderId, recorder]))
    const picture = await snapshot()
    const intents = hasAdopted ? new Map<string, PauseIntent>() : await adoptStored()
    hasAdopted = true
    const adopted = new Set(follower.sessions().map(session => session.call.callId))
    follower.replace(picture)
    for (const session of follower.sessions()) {
      if (adopted.has(session.call.callId)) compare(session, recorders, intents.get(session.call.callId))
    }
    await removeStrays(recorders)
  }

  async function adoptStored (): Promise<Map<string, PauseIntent>> {
    const { calls, answers } = await store.loadOpen()
    for (const answer of answers) answerBook.put(answer)
    const fresh = new Map<string, PauseIntent>()
    for (const { call, revision, intents } of calls) {
      if (follower.session(call.callId)) continue
      follower.adopt(call, revision)
      const intent = intents.filter(candidate => candidate.revision >= revision).at(-1)
      if (intent) fresh.set(call.callId, intent)
    }
    return fresh
  }

  function compare (session: CallSession, recorders: Map<string, RecorderStatus>, intent: PauseIntent | undefined): void {
    const { phase } = session.call.recording
    if (!('segment' in phase) || session.isBusy(phase.segment.number)) return
    const found = statusOfSegment(session.call, phase.segment.number, recorders)
    for (const input of missedInputs(phase, found, intent, clock(), newId)) {
      session.dispatch({ type: 'recording', input })
      if (input.type === 'silence') auditAdopted(session, intent?.attempt ?? unknownAttempt(input.cause, clock()))
    }
  }

  /** Whoever asked for the pause got no answer; the log gets one all the same. */
  function auditAdopted (session: CallSession, attempt: Attempt): void {
    const detail = { ...attempt.detail, isAdopted: true }
    session.fulfil('pause', outcome => ({ messages: [auditMessage({ clock, newId }, session.call, { ...attempt, detail }, outcome)], answers: [] })).catch(onAdoptionFailure)
  }

  async function removeStrays (recorders: Map<string, RecorderStatus>): Promise<void> {
    const wanted = new Set(follower.sessions().flatMap(({ call }) => {
      const { phase } = call.recording
      return 'segment' in phase ? call.tracks.map(track => recorderId(call, phase.segment.number, track)) : []
    }))
    for (const { recorderId: id, state } of recorders.values()) {
      if (wanted.has(id) || (state === 'stopped' && isEvidence(id))) continue
      onStray(id)
      await driver.discard(id, discardTimeoutMs)
    }
  }

  /** A stopped recorder is all there is of its pause until the database has it. */
  const isEvidence = (id: string) => follower.sessions().some(({ isStored, call }) => !isStored && isRecorderOf(call, id))

  return { run }
}

export type Reconciler = ReturnType<typeof createReconciler>

interface Found { state: RecorderStatus['state'], commandId: string | null }

/** Of several tracks the one furthest from recording speaks for the segment. */
function statusOfSegment (call: Call, segment: number, recorders: Map<string, RecorderStatus>): Found {
  const order: RecorderStatus['state'][] = ['stopped', 'absent', 'created', 'recording']
  const states = call.tracks.map(track => recorders.get(recorderId(call, segment, track)) ?? { state: 'absent' as const })
  const worst = states.sort((one, other) => order.indexOf(one.state) - order.indexOf(other.state))[0] ?? { state: 'absent' as const }
  return { state: worst.state, commandId: 'commandId' in worst ? worst.commandId ?? null : null }
}

/** What the machine was not told while nobody watched. Pure. */
export function missedInputs (phase: Extract<Phase, { segment: unknown }>, found: Found, intent: PauseIntent | undefined, atMs: number, newId: () => string): RecordingInput[] {
  const segment = phase.segment.number
  switch (phase.status) {
    case 'recording': {
      // A pause was asked for, whether or not the recorder heard of it.
      if (found.state === 'stopped' || intent) return [{ type: 'silence', atMs, reason: reasonOf(intent), cause: intent?.attempt.cause ?? recoveryCause(found.commandId) }]
      if (found.state === 'recording') return []
      return [{ type: 'recorder-lost', atMs, segment, isExplained: false }]
    }
    case 'starting': case 'resuming': {
      if (intent || found.state === 'stopped') return [{ type: 'silence', atMs, reason: reasonOf(intent), cause: intent?.attempt.cause ?? recoveryCause(found.commandId) }]
      // A start by the rules is taken up where it was; one by an agent who got no answer did not happen.
      if (phase.status === 'starting' && phase.cause.commandId === null) {
        return found.state === 'recording'
          ? [{ type: 'recorder-started', atMs, segment, requestedAtMs: phase.segment.requestedAtMs }]
          : [{ type: 'recorder-lost', atMs, segment, isExplained: true }]
      }
      return [{ type: 'silence', atMs, reason: 'agent', cause: recoveryCause(newId()) }]
    }
    case 'pausing': case 'unconfirmed':
      return [{ type: 'stop-again', atMs, segment }]
    case 'ending':
      return [{ type: 'stop-again', atMs, segment }]
  }
}

const reasonOf = (intent: PauseIntent | undefined) => {
  const kind = intent?.attempt.cause.by.kind
  return kind === 'supervisor' || kind === 'machine' ? kind : 'agent'
}
