import { problem, topics, type AllowedAction, type CommandAnswer, type Problem } from '@tacet/contracts'
import { evolve } from '../domain/call-machine.ts'
import { isOver, publicState, type Call, type CallInput, type CallTransition } from '../domain/call.ts'
import type { RecordingEffect } from '../domain/recording.ts'
import { createJournal, type JournalOptions } from './journal.ts'
import type { Message, StoredAnswer } from './ports.ts'
import { createRecorders, type RecordersOptions } from './recorders.ts'
import { settle, type Verdict, type Wish } from './settle.ts'

export interface SessionOptions extends Omit<RecordersOptions, 'report'>, Omit<JournalOptions, 'revision' | 'wait'> {
  /** How long a command waits for the database: longer makes a pause answer `durable: false`, and a resume fail. */
  commitTimeoutMs: number
  onTransition: (before: Call, input: CallInput, transition: CallTransition) => void
}

/** What is stored together with the outcome of a command: its audit entry, its answer by Idempotency-Key. */
export interface Record { messages: Message[], answers: StoredAnswer[] }
export type RecordOutcome = (outcome: CommandAnswer | Problem) => Record

interface Waiter { wish: Wish, record: RecordOutcome, settled: PromiseWithResolvers<Settled> }
interface Settled { answer: CommandAnswer, stored: Promise<void> }

/**
 * One call, alive: feeds inputs to the pure machine, stores what comes out, and drives the recorders. Inputs take
 * effect in the order they come in; nothing is awaited between an input and the effects that can't wait.
 */
export function createCallSession (first: Call, revision: number, options: SessionOptions) {
  const { clock, newId, commitTimeoutMs } = options
  let call = first
  let waiters: Waiter[] = []
  let pauses = 0
  /** What the database knows; undefined before it knows the call at all. */
  let storedPhase = revision > 0 ? first.recording.phase.status : undefined
  /** Starts that wait for the database. */
  const reserved = new Set<number>()
  const journal = createJournal({ ...options, revision, wait: (ms, signal) => options.wait(ms, signal) })
  const recorders = createRecorders({ ...options, report: input => dispatch({ type: 'recording', input }) })

  function dispatch (input: CallInput): void {
    const before = call
    if (input.type === 'recording' && input.input.type === 'silence') pauses += 1
    const transition = evolve(before, input)
    call = transition.call
    for (const effect of transition.effects) if (effect.type === 'stop-recorder') run(effect)
    options.onTransition(before, input, transition)

    const trigger = input.type === 'recording' ? input.input.type : input.type
    const verdicts = takeSettled(trigger)
    const records = verdicts.map(({ waiter, verdict }) => waiter.record(verdict === 'granted' ? answerNow() : verdict))
    const messages = [...transition.events.map(messageOf), ...records.flatMap(record => record.messages)]
    // A pause on its way has no event yet: its intent is written beside it, and its proof is what is stored.
    const isWorthStoring = messages.length > 0 || transition.effects.some(effect => effect.type === 'start-recorder')
    const stored = isWorthStoring ? store(messages, records.flatMap(record => record.answers)) : journal.idle()

    runWhenStored(transition.effects, stored)
    for (const { waiter, verdict } of verdicts) conclude(waiter, verdict, stored)
  }

  function store (messages: Message[], answers: StoredAnswer[] = []): Promise<void> {
    const { status } = call.recording.phase
    const stored = journal.append(call, messages, answers)
    stored.then(() => { storedPhase = status }, () => {})
    return stored
  }

  /** Whether a successor would keep the silence: of a start that never was there is no evidence on the PBX. */
  const isEvident = () => storedPhase !== undefined && storedPhase !== 'off' && storedPhase !== 'starting'

  function run (effect: RecordingEffect): void {
    switch (effect.type) {
      case 'start-recorder': void recorders.start(call, effect); break
      case 'stop-recorder': void recorders.stop(call, effect); break
      case 'discard-recorder': void recorders.discard(call, effect.segment); break
    }
  }

  function runWhenStored (effects: RecordingEffect[], stored: Promise<void>): void {
    for (const effect of effects) {
      if (effect.type === 'stop-recorder') continue
      // An agent's start is stored in time or did not happen; a start by the rules waits for the database.
      if (effect.type === 'start-recorder' && effect.cause.commandId !== null) giveUpUnlessStored(effect.segment, stored)
      const isStart = effect.type === 'start-recorder'
      if (isStart) reserved.add(effect.segment)
      stored.then(() => { if (!isStart || isReserved(effect.segment)) run(effect) }, () => {})
        .finally(() => { reserved.delete(effect.segment) })
    }
  }

  function isReserved (segment: number): boolean {
    const { phase } = call.recording
    return (phase.status === 'starting' || phase.status === 'resuming') && phase.segment.number === segment
  }

  function giveUpUnlessStored (segment: number, stored: Promise<void>): void {
    void inTime(stored).then(isStored => {
      if (!isStored) dispatch({ type: 'recording', input: { type: 'not-stored', atMs: clock(), segment } })
    })
  }

  async function inTime (stored: Promise<void>): Promise<boolean> {
    const done = new AbortController()
    const timeout = options.wait(commitTimeoutMs, done.signal).then(() => false)
    return await Promise.race([stored.then(() => true, () => false), timeout]).finally(() => done.abort('done'))
  }

  function takeSettled (trigger: string): { waiter: Waiter, verdict: Exclude<Verdict, 'pending'> }[] {
    const settled: { waiter: Waiter, verdict: Exclude<Verdict, 'pending'> }[] = []
    waiters = waiters.filter(waiter => {
      const verdict = settle(waiter.wish, call, trigger)
      if (verdict !== 'pending') settled.push({ waiter, verdict })
      return verdict === 'pending'
    })
    return settled
  }

  function conclude ({ settled }: Waiter, verdict: Exclude<Verdict, 'pending'>, stored: Promise<void>): void {
    if (verdict === 'granted') settled.resolve({ answer: answerNow(), stored })
    else settled.reject(verdict)
  }

  function answerNow (): CommandAnswer {
    const { recording } = call
    return {
      callId: call.callId,
      recordingId: call.callId,
      state: publicState(recording),
      reasons: recording.reasons,
      seq: call.recordingSeq,
      effectiveAt: new Date(recording.effectiveAtMs).toISOString(),
      durable: true,
      allowedActions: actionsIn(call),
    }
  }

  /** Resolves once the wish is fulfilled and stored, or with `durable: false` when the database keeps us waiting. */
  async function fulfil (wish: Wish, record: RecordOutcome): Promise<CommandAnswer> {
    const waiter: Waiter = { wish, record, settled: Promise.withResolvers<Settled>() }
    const verdict = settle(wish, call, 'asked')
    if (verdict === 'pending') waiters.push(waiter)
    else {
      const { messages, answers } = record(verdict === 'granted' ? answerNow() : verdict)
      conclude(waiter, verdict, store(messages, answers))
    }
    const { answer, stored } = await waiter.settled.promise
    const isDurable = await inTime(stored)
    if (journal.isClosed) throw followedByAnother()
    if (!isDurable && wish === 'resume') throw problem('storage-unavailable', 'It records again, but the database could not be told yet.')
    if (!isDurable && answer.state === 'paused' && !isEvident()) throw problem('storage-unavailable', 'It does not record, but a restart would not remember that yet.', { retryAfterSeconds: 2 })
    return { ...answer, durable: isDurable }
  }

  const messageOf = (event: CallTransition['events'][number]): Message => ({
    id: newId(),
    topic: topics.calls,
    type: event.type,
    subject: call.callId,
    occurredAt: new Date(event.atMs),
    data: { callId: call.callId, companyId: call.companyId, seq: event.seq, at: new Date(event.atMs).toISOString(), ...event.data },
  })

  return {
    get call () { return call },
    get revision () { return journal.revision },
    /** How many pauses were asked for: a resume that had to wait must not lift a later one. */
    get pauses () { return pauses },
    dispatch,
    fulfil,
    /** Stores messages (audit entries, say) in the order of the call's own. */
    note (messages: Message[]): void { void store(messages) },
    isBusy: (segment: number) => reserved.has(segment) || recorders.isBusy(segment),
    discard (segment: number): void { void recorders.discard(call, segment) },
    get isClosed () { return journal.isClosed },
    get isStored () { return journal.isIdle },
    stored: () => journal.idle(),
    inTime,
    get isFinished () { return isOver(call) && journal.isIdle },
    close (): void {
      journal.close()
      recorders.close()
      for (const { settled } of waiters) settled.reject(followedByAnother())
      waiters = []
    },
  }
}

const followedByAnother = () => problem('standby', 'This instance stopped following the call.', { retryAfterSeconds: 2 })

export type CallSession = ReturnType<typeof createCallSession>

export function actionsIn ({ recording: { phase } }: Call): AllowedAction[] {
  switch (phase.status) {
    case 'recording': case 'starting': case 'resuming': return ['pause']
    case 'off': case 'paused': return ['resume']
    case 'pausing': case 'unconfirmed': case 'ending': case 'ended': return []
  }
}
