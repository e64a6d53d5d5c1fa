import { isProblem, problem, type Actor, type AuditDevice, type CommandAnswer, type Problem, type RecordingStatus, type SilenceReason } from '@tacet/contracts'
import { actorKindOf, hasScope, type Principal } from '@tacet/service-kit'
import { decideFor, ruleVersionsFor } from '../domain/call-machine.ts'
import { isPauseOverdue, publicState, type Call, type Participant } from '../domain/call.ts'
import type { Cause } from '../domain/recording.ts'
import { auditMessage, type Attempt } from './audit-attempt.ts'
import { actionsIn, type CallSession, type RecordOutcome } from './call-session.ts'
import type { Lull } from './lull.ts'
import type { CallStore, Message, PauseIntent, StoredAnswer } from './ports.ts'

export type Action = 'pause' | 'resume'

export interface Command {
  action: Action
  principal: Principal
  callId: string
  idempotencyKey: string | null
  note: string | null
  /** Where it came from, for the audit log. */
  address: string | null
  device: string
  /** By what it came. */
  from?: AuditDevice
}

export interface CommandOptions {
  clock: () => number
  lull: Lull
  newId: () => string
  session: (callId: string) => CallSession | undefined
  store: CallStore
  answers: AnswerBook
  onIntentFailure: (error: unknown) => void
  onRefusalNotStored: (error: unknown) => void
}

/** Answers given under an Idempotency-Key, for as long as their call lives. */
export function createAnswerBook () {
  const answers = new Map<string, StoredAnswer>()
  const keyOf = (credentialId: string, idempotencyKey: string) => `${credentialId} ${idempotencyKey}`
  return {
    put (answer: StoredAnswer): void { answers.set(keyOf(answer.credentialId, answer.idempotencyKey), answer) },
    get: (credentialId: string, idempotencyKey: string) => answers.get(keyOf(credentialId, idempotencyKey)),
    forgetCall (callId: string): void {
      for (const [key, answer] of answers) if (answer.callId === callId) answers.delete(key)
    },
  }
}
export type AnswerBook = ReturnType<typeof createAnswerBook>

/** Whose silence a principal's is: each kind is lifted only by its own. */
export function kindOf ({ roles }: Principal): 'agent' | 'supervisor' | 'machine' {
  if (roles.includes('agent')) return 'agent'
  return roles.some(role => role === 'supervisor' || role === 'admin' || role === 'owner') ? 'supervisor' : 'machine'
}

/** The pause and resume of design.md, P1–P6 and R1–R6. Everything before the stop happens in memory. */
export function createCommands (options: CommandOptions) {
  const { clock, newId, answers, store, lull } = options

  async function execute (command: Command): Promise<CommandAnswer> {
    const requestedAtMs = clock()
    const cause: Cause = { commandId: newId(), by: actorOf(command.principal) }
    const reached = await reach(command).catch(async (error: unknown) => await refuseUnreached(command, cause, requestedAtMs, error))
    if ('answer' in reached) return reached.answer
    const { session } = reached
    const attempt = attemptOf(session.call, command, cause, requestedAtMs)
    const { record, isRecorded } = recorder(session, command, attempt)
    try {
      const refusal = refuse(session.call, command)
      if (refusal) throw refusal
      const answer = command.action === 'pause' ? await pause(session, command, attempt, record) : await resume(session, command, cause, record)
      for (const stored of toStored(command, answer)) answers.put(stored)
      return answer
    } catch (error) {
      if (isProblem(error) && !isRecorded()) note(session, record(error).messages)
      throw error
    }
  }

  /** In the order of the call's own, unless this instance follows the call no more. */
  function note (session: CallSession, messages: Message[]): void {
    if (!session.isClosed) return session.note(messages)
    for (const message of messages) store.announce(message).catch(options.onRefusalNotStored)
  }

  const toStored = ({ principal: { credentialId }, idempotencyKey, callId, action }: Command, answer: CommandAnswer): StoredAnswer[] =>
    idempotencyKey === null ? [] : [{ credentialId, idempotencyKey, callId, action, answer }]

  async function pause (session: CallSession, command: Command, attempt: Attempt, record: RecordOutcome): Promise<CommandAnswer> {
    const { cause } = attempt
    const intent: PauseIntent = { callId: session.call.callId, revision: session.revision, attempt }
    session.dispatch({ type: 'recording', input: { type: 'silence', atMs: clock(), reason: reasonOf(command.principal), cause } })
    if (session.call.recording.phase.status === 'pausing') store.noteIntent(intent).catch(options.onIntentFailure)
    return await lull.during(() => session.fulfil('pause', record))
  }

  async function resume (session: CallSession, command: Command, cause: Cause, record: RecordOutcome): Promise<CommandAnswer> {
    const { pauses, call: { recording: { phase, reasons } } } = session
    // A pause still on its way is waited for: the resume was asked for after it.
    if (phase.status === 'pausing' && reasons.length > 0) await session.fulfil('pause', () => ({ messages: [], answers: [] }))
    if (!session.isStored && !await session.inTime(session.stored())) throw problem('storage-unavailable', 'The recording stays as it is.', { retryAfterSeconds: 2 })
    // Whoever paused meanwhile may have their answer already.
    if (session.pauses !== pauses) throw problem('superseded-by-pause')
    session.dispatch({ type: 'recording', input: { type: 'lift', atMs: clock(), reason: reasonOf(command.principal), cause } })
    return await session.fulfil('resume', record)
  }

  function earlierAnswer ({ principal, idempotencyKey, callId, action }: Command): CommandAnswer | undefined {
    if (idempotencyKey === null) return undefined
    const earlier = answers.get(principal.credentialId, idempotencyKey)
    if (!earlier) return undefined
    if (earlier.callId !== callId || earlier.action !== action) throw problem('idempotency-key-reused')
    return earlier.answer
  }

  /** The caller's call, or the same answer for a call of others and one that never was: with the database away, too, that it is away. */
  async function find ({ principal, callId }: Pick<Command, 'principal' | 'callId'>): Promise<Call> {
    const live = options.session(callId)?.call
    if (live && isReachable(live, principal)) return live
    const known = await stored(callId)
    if (live || !known || !isReachable(known, principal)) throw problem('call-not-found')
    return known
  }

  /** The call that is commanded, or the answer from before. */
  async function reach (command: Command): Promise<{ session: CallSession } | { answer: CommandAnswer }> {
    const answer = earlierAnswer(command)
    if (answer) return { answer }
    await find(command)
    const session = options.session(command.callId)
    if (!session) throw problem('call-ended')
    return { session }
  }

  /** No call takes this into its log: it goes into the log of whoever asked, and says nothing of a call of others. */
  async function refuseUnreached (command: Command, cause: Cause, requestedAtMs: number, error: unknown): Promise<never> {
    if (!isProblem(error)) throw error
    const { action, principal, address, device, from, note, callId } = command
    const attempt: Attempt = { action, cause, askedBy: actorKindOf(principal), requestedAtMs, address, device: from, detail: { device, note, callId } }
    const announced = store.announce(auditMessage(options, { companyId: principal.companyId, callId: null }, attempt, error)).catch(options.onRefusalNotStored)
    // Where something is away, nobody is kept waiting for the log.
    if (error.status < 500) await announced
    throw error
  }

  async function stored (callId: string): Promise<Call | undefined> {
    try {
      return await store.find(callId)
    } catch (error) {
      throw problem('storage-unavailable', undefined, { retryAfterSeconds: 2 }, error)
    }
  }

  /** What becomes of the attempt is recorded once. */
  function recorder (session: CallSession, command: Command, attempt: Attempt): { record: RecordOutcome, isRecorded: () => boolean } {
    let isRecorded = false
    return {
      record (outcome) {
        isRecorded = true
        return { messages: [auditMessage(options, session.call, attempt, outcome)], answers: isProblem(outcome) ? [] : toStored(command, outcome) }
      },
      isRecorded: () => isRecorded,
    }
  }

  function attemptOf (call: Call, { action, principal, address, device, from, note }: Command, cause: Cause, requestedAtMs: number): Attempt {
    const { agentId } = principal
    const rule = agentId === null ? null : decideFor(call, agentId)?.pause ?? null
    return { action, cause, askedBy: actorKindOf(principal), requestedAtMs, address, device: from, detail: { device, note, rule, ruleVersions: agentId === null ? [] : ruleVersionsFor(call, agentId) } }
  }

  return { execute, find }
}

export type Commands = ReturnType<typeof createCommands>

const actorOf = (principal: Principal): Actor => ({ kind: kindOf(principal), agentId: principal.agentId, credentialId: principal.credentialId })
const reasonOf = (principal: Principal): SilenceReason => kindOf(principal)

/** An agent reaches the calls they are in, everybody else those of their company. */
export function isReachable (call: Call, { agentId, companyId, roles }: Principal): boolean {
  if (companyId !== null && companyId !== call.companyId) return false
  if (!roles.includes('agent')) return true
  return call.participants.some(participant => participant.agentId === agentId && isThere(call, participant))
}

/** Whoever was in a call may still ask about it when it is over; while it goes on, only who is in it. */
const isThere = (call: Call, { leftAtMs, joinedAtMs }: Participant): boolean =>
  call.endedAtMs === null ? leftAtMs === null : joinedAtMs !== null

/** Why the rules refuse the command, or undefined. */
export function refuse (call: Call, { principal }: Pick<Command, 'principal'>): Problem | undefined {
  const { status } = call.recording.phase
  if (!hasScope(principal, 'recordings:control')) return problem('forbidden', 'this needs the scope recordings:control')
  if (call.endedAtMs !== null) return problem('call-ended')
  if (status === 'ended' || status === 'ending') return problem('recording-ended')
  if (call.answeredAtMs === null) return problem('call-not-answered')
  if (!principal.roles.includes('agent')) return undefined
  const refusal = decideFor(call, principal.agentId ?? '')?.pause.refusal
  if (refusal === null) return undefined
  if (refusal === undefined) return problem('pause-denied')
  return refusal.code === 'internal-peer-denied' ? problem('internal-peer-denied') : problem('pause-denied', undefined, { decidedBy: refusal.decidedBy })
}

export function statusOf (call: Call, principal: Principal): RecordingStatus {
  const { recording } = call
  const open = 'segment' in recording.phase && recording.phase.segment.openedAtMs !== null ? [recording.phase.segment] : []
  const decision = principal.agentId === null ? undefined : decideFor(call, principal.agentId)
  return {
    callId: call.callId,
    recordingId: call.callId,
    state: publicState(recording),
    reasons: recording.reasons,
    seq: call.recordingSeq,
    isPauseOverdue: isPauseOverdue(call),
    allowedActions: refuse(call, { principal }) ? [] : actionsIn(call),
    endReason: recording.phase.status === 'ended' || recording.phase.status === 'ending' ? recording.phase.reason : null,
    segments: [
      ...recording.segments.map(({ number, openedAtMs, closedAtMs }) => ({ number, openedAt: isoTime(openedAtMs), closedAt: isoTime(closedAtMs) })),
      ...open.map(({ number, openedAtMs }) => ({ number, openedAt: isoTime(openedAtMs!), closedAt: null })),
    ],
    recordingRule: decision ? { decidedBy: decision.recording.decision.decidedBy, value: decision.recording.decision.value, isLocked: decision.recording.decision.isLocked } : null,
  }
}

const isoTime = (epochMs: number): string => new Date(epochMs).toISOString()
