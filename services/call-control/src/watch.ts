import { AriError, createAriConnection, createSnoopRecorderDriver, isRecorderId, recorderStatusOf, type AriEvent, type AriLatency, type RecorderDriver, type RecorderStatus } from '@tacet/ari'
import type { Logger, Outage } from '@tacet/service-kit'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CallControlConfig } from './config.ts'
import type { Marks } from './crash-points.ts'
import { ignoredEvents, toChange, toSnapshot } from './intake/ari-changes.ts'
import { createCallSession, type SessionOptions } from './usecases/call-session.ts'
import type { AnswerBook } from './usecases/command-recording.ts'
import { passTime } from './usecases/pass-time.ts'
import { createCallFollower, type FollowOptions } from './usecases/follow-calls.ts'
import type { Watch } from './usecases/hold-post.ts'
import { keepPolicySilence } from './usecases/keep-policy-silence.ts'
import type { CallStore } from './usecases/ports.ts'
import { createReconciler, missedInputs } from './usecases/reconcile.ts'

export interface WatchOptions extends Pick<FollowOptions, 'callIdOf' | 'findOwner' | 'settings' | 'clock'> {
  config: CallControlConfig
  marks: Marks
  store: CallStore
  answers: AnswerBook
  session: Omit<SessionOptions, 'driver' | 'timings'>
  logger: Logger
  outages: { ariAway: Outage, takenOver: Outage }
  /** Nobody else can be in charge. */
  isCurrent: () => boolean
  onLatency: (latency: AriLatency) => void
}

/** A call that is over stays reachable for this long, to answer whoever still asks. */
const keepOverMs = 10 * 60_000
/** So long after a recorder its leg may be seen to go. */
const lossMs = 300
/** How late time may be told: an alarm is due two seconds after the answer. */
const tickMs = 250

export interface PbxWatch extends Watch {
  readonly follower: ReturnType<typeof createCallFollower>
  /** The first reconciliation is done: what we say of calls can be believed. */
  readonly isUsable: boolean
  readonly state: string
}

/** Everything that acts on the PBX while this instance holds the lease. */
export function openWatch ({ config, marks, store, answers, session, logger, outages: { ariAway, takenOver }, isCurrent, onLatency, ...view }: WatchOptions): PbxWatch {
  const { newId } = session
  const replaced = Promise.withResolvers<void>()
  let trouble: unknown = new Error('not connected')
  let isUsable = false
  let isSilenceDue = false
  const connection = createAriConnection({
    url: config.ariUrl,
    username: config.ariUsername,
    password: config.ariPassword,
    app: config.ariApp,
    logger: logger.child({ part: 'ari' }),
    onLatency,
    onArrival: (event, atMs) => driver.onEvent(event, atMs),
    onEvent: handle,
    onUp: reconcile,
    onDown: reason => { trouble = new Error(reason) },
    onFailure: error => { trouble = error },
    onReplaced: () => {
      takenOver.failed(new Error('another instance connected as our application'))
      replaced.resolve()
    },
    ignoredEvents,
  })
  const driver = fenced(marks.driver(createSnoopRecorderDriver({ rest: marks.rest(connection.rest), app: config.ariApp, isUp: () => connection.isListening })), isCurrent)
  const timings = { resumeGuardMs: config.resumeGuardMs, startTimeoutMs: config.startTimeoutMs, stopTimeoutMs: config.stopTimeoutMs, retryDelayMs: 500, maxSealAttempts: 5 }
  const follower = createCallFollower({
    ...view,
    pbxId: config.pbxId,
    openSession: (call, revision) => createCallSession(call, revision, { ...session, driver, timings, onTransition }),
  })
  const reconciler = createReconciler({
    follower,
    store,
    answerBook: answers,
    driver,
    clock: view.clock,
    newId: session.newId,
    discardTimeoutMs: config.stopTimeoutMs,
    onAdoptionFailure: err => logger.info({ err }, 'adopted pause not proven or stored yet'),
    onStray: recorderId => logger.warn({ recorderId }, 'recorder without a call removed'),
    snapshot: async () => toSnapshot((await connection.rest.listChannels()).filter(channel => !isRecorderId(channel.id)), await connection.rest.listBridges()),
  })

  /** Before anything else may happen on this tick of the event loop: a consultation must fall silent with its main call. */
  function onTransition (...[before, input, transition]: Parameters<SessionOptions['onTransition']>): void {
    session.onTransition(before, input, transition)
    if (before.recording.phase.status !== transition.call.recording.phase.status || before.participants !== transition.call.participants) {
      isSilenceDue ||= (queueMicrotask(keepSilence), true)
    }
  }

  function keepSilence (): void {
    isSilenceDue = false
    keepPolicySilence(follower.sessions(), view.clock())
  }

  async function reconcile (): Promise<void> {
    await reconciler.run()
    // Whoever followed the calls before may have died between setting such a silence and lifting it.
    keepPolicySilence(follower.sessions(), view.clock())
    isUsable = true
    logger.info({ calls: follower.sessions().length }, 'calls reconciled with the PBX')
  }

  function handle (event: AriEvent, atMs: number): void {
    if ('channel' in event && event.channel && isRecorderId(event.channel.id)) {
      if (event.type === 'ChannelDestroyed') void checkLoss(event.channel.id)
      if (event.type === 'StasisStart') void checkStrange(recorderStatusOf(event.channel))
      return
    }
    const change = toChange(event)
    if (change) follower.apply(change, atMs)
  }

  /** A recorder goes when its leg goes, and may be seen first; if the leg is still there a moment later, it was lost. */
  async function checkLoss (recorderId: string): Promise<void> {
    const segment = segmentOf(recorderId)
    // Of two tracks one may vanish while the other still starts.
    for (const startedMs = view.clock(); view.clock() - startedMs <= config.startTimeoutMs + lossMs;) {
      await sleep(lossMs)
      const found = sessionOf(recorderId)
      const phase = found?.call.recording.phase
      if (!found || !phase || !('segment' in phase) || phase.segment.number !== segment || !follower.pbx.leg(found.call.ownLegId ?? found.call.recordedLegId ?? '')) return
      if (phase.status === 'recording') return found.dispatch({ type: 'recording', input: { type: 'recorder-lost', atMs: view.clock(), segment, isExplained: false } })
    }
  }

  /** Another instance, in charge before us, may still have had something on its way: its stop is adopted, its start undone. */
  async function checkStrange ({ recorderId, ...found }: RecorderStatus): Promise<void> {
    await sleep(50)
    const session = sessionOf(recorderId)
    const phase = session?.call.recording.phase
    const isOpen = phase !== undefined && 'segment' in phase && phase.segment.number === segmentOf(recorderId)
    if (session && isOpen && phase.status === 'recording' && found.state === 'stopped' && !session.isBusy(phase.segment.number)) {
      for (const input of missedInputs(phase, { commandId: null, ...found }, undefined, view.clock(), newId)) session.dispatch({ type: 'recording', input })
    } else if (isUsable && !isOpen && found.state !== 'stopped') {
      logger.warn({ recorderId }, 'recorder that nobody wants removed')
      await driver.discard(recorderId, config.stopTimeoutMs).catch(err => logger.error({ err, recordingId: recorderId }, 'recorder that nobody wants not removed'))
    }
  }

  const sessionOf = (recorderId: string) => follower.session(/^tacet-(.{36})-/.exec(recorderId)?.[1] ?? '')
  const segmentOf = (recorderId: string) => Number(/^tacet-.{36}-(\d+)/.exec(recorderId)?.[1])

  function watchConnection (): void {
    if (connection.state !== 'up') return ariAway.failed(trouble)
    ariAway.over()
    takenOver.over()
  }

  const ticker = setInterval(() => {
    watchConnection()
    const forgotten = follower.tick(({ call }) => (call.endedAtMs ?? view.clock()) + keepOverMs > view.clock())
    for (const callId of forgotten) answers.forgetCall(callId)
    passTime(follower.sessions(), { clock: view.clock, newId: session.newId, onError: err => logger.info({ err }, 'long pause not ended') })
  }, tickMs)
  connection.start()

  return {
    follower,
    replaced: replaced.promise,
    get isUsable () { return isUsable },
    get state () { return connection.state },
    async close () {
      clearInterval(ticker)
      ariAway.over()
      follower.close()
      await connection.close()
    },
  }
}

/** Whoever may have lost the lease in its sleep starts nothing. Stopping does no harm. */
const fenced = (driver: RecorderDriver, isCurrent: () => boolean): RecorderDriver => ({
  ...driver,
  async start (request) {
    if (!isCurrent()) throw new AriError('unavailable', { operation: 'start', message: 'another instance may be in charge' })
    return await driver.start(request)
  },
})
