import { createAriConnection, createSnoopRecorderDriver, isRecorderId, type AriEvent, type AriLatency } from '@tacet/ari'
import type { Logger } from '@tacet/service-kit'
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
import { createReconciler } from './usecases/reconcile.ts'

export interface WatchOptions extends Pick<FollowOptions, 'callIdOf' | 'findOwner' | 'settings' | 'clock'> {
  config: CallControlConfig
  marks: Marks
  store: CallStore
  answers: AnswerBook
  session: Omit<SessionOptions, 'driver' | 'timings'>
  logger: Logger
  onLatency: (latency: AriLatency) => void
}

/** A call that is over stays reachable for this long, to answer whoever still asks. */
const keepOverMs = 10 * 60_000
/** How late time may be told: an alarm is due two seconds after the answer. */
const tickMs = 250

export interface PbxWatch extends Watch {
  readonly follower: ReturnType<typeof createCallFollower>
  /** The first reconciliation is done: what we say of calls can be believed. */
  readonly isUsable: boolean
  readonly state: string
}

/** Everything that acts on the PBX while this instance holds the lease. */
export function openWatch ({ config, marks, store, answers, session, logger, onLatency, ...view }: WatchOptions): PbxWatch {
  const replaced = Promise.withResolvers<void>()
  let isUsable = false
  let isSilenceDue = false
  const connection = createAriConnection({
    url: config.ariUrl,
    username: config.ariUsername,
    password: config.ariPassword,
    app: config.ariApp,
    logger: logger.child({ part: 'ari' }),
    onLatency,
    onArrival: (event: AriEvent) => driver.onEvent(event),
    onEvent: handle,
    onUp: reconcile,
    onReplaced: replaced.resolve,
    ignoredEvents,
  })
  const driver = marks.driver(createSnoopRecorderDriver({ rest: marks.rest(connection.rest), app: config.ariApp, isUp: () => connection.isListening }))
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

  function handle (event: AriEvent): void {
    if ('channel' in event && event.channel && isRecorderId(event.channel.id)) {
      if (event.type === 'ChannelDestroyed') void checkLoss(event.channel.id)
      return
    }
    const change = toChange(event)
    if (change) follower.apply(change)
  }

  /** A recorder goes when its leg goes, and may be seen first; if the leg is still there a moment later, it was lost. */
  async function checkLoss (recorderId: string): Promise<void> {
    const [, callId, segment] = /^tacet-(.{36})-(\d+)/.exec(recorderId) ?? []
    await sleep(300)
    const found = follower.session(callId ?? '')
    const phase = found?.call.recording.phase
    if (!found || phase?.status !== 'recording' || phase.segment.number !== Number(segment) || !follower.pbx.leg(found.call.recordedLegId ?? '')) return
    found.dispatch({ type: 'recording', input: { type: 'recorder-lost', atMs: view.clock(), segment: Number(segment), isExplained: false } })
  }

  const ticker = setInterval(() => {
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
      follower.close()
      await connection.close()
    },
  }
}
