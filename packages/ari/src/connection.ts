import { openAriSocket } from './ari-socket.ts'
import type { AriSocket } from './ari-socket.ts'
import { systemClock } from './clock.ts'
import type { Clock } from './clock.ts'
import { isAriError } from './errors.ts'
import { createEventClock } from './event-clock.ts'
import { parseAriEvent } from './events.ts'
import type { AriEvent } from './events.ts'
import { createAriRest } from './rest.ts'
import type { AriRest, AriRestOptions } from './rest.ts'

export type AriConnectionState = 'connecting' | 'up' | 'down' | 'replaced'

type Log = (fields: object, message: string) => void
export type AriLogger = { debug: Log, info: Log, warn: Log, error: Log }

export type AriConnectionOptions = AriRestOptions & {
  app: string
  /**
   * Runs after every (re)connect, when events flow already: the time to reconcile. Events that come meanwhile are
   * delivered when it is done. If it fails, the connection is dropped and made anew. The signal aborts when it is lost.
   */
  onUp (signal: AbortSignal): Promise<void> | void
  /** Every event, in order, with the moment when it happened. Not awaited. */
  onEvent (event: AriEvent, atMs: number): void
  /** The same events at the moment they arrive, also while `onUp` runs. For the recorder driver. */
  onArrival? (event: AriEvent, atMs: number): void
  /** After every connection that got as far as `onUp`. Events from now on are lost, until the next `onUp`. */
  onDown? (reason: string): void
  /** What went wrong with an attempt to connect. */
  onFailure? (error: unknown): void
  /** Another instance took our application over: stop acting. Nothing more is heard until `reconnect()`. */
  onReplaced? (): void
  /** Event types that Asterisk need not send. */
  ignoredEvents?: readonly string[]
  logger?: AriLogger
  clock?: Clock
  timing?: Partial<typeof TIMING>
}

export interface AriConnection {
  readonly rest: AriRest
  readonly state: AriConnectionState
  /** Whether events flow, as they do during `onUp` too. */
  readonly isListening: boolean
  start (): void
  /** Tries (again) at once: after having been replaced, or instead of waiting. */
  reconnect (): void
  close (): Promise<void>
}

const TIMING = { probeMs: 2000, openMs: 5000, heartbeatMs: 4000, reconcileMs: 60_000, closeMs: 2000, firstBackoffMs: 100, maxBackoffMs: 2000 }
// Not subscribeAll: it takes in device states, and Asterisk 22.10 deadlocks ARI for good when a websocket goes away
// at the moment a device state changes (docs/adr/0004).
const WATCHED = ['channel:', 'bridge:']
const MAX_BUFFERED = 50_000
const silent = { debug () {}, info () {}, warn () {}, error () {} }

/** A connection to one PBX that is kept up for as long as it is wanted, by one ari-client after the other. */
export function createAriConnection (options: AriConnectionOptions): AriConnection {
  const { app, onUp, onEvent, onArrival, onDown, onFailure, onReplaced, ignoredEvents = ['ChannelVarset'] } = options
  const { logger = silent, clock = systemClock } = options
  const timing = { ...TIMING, ...options.timing }
  const rest = createAriRest(options)
  const dateOf = createEventClock(() => clock.now())
  let state: AriConnectionState = 'down'
  let isListening = false
  let life: { stop: AbortController, done: Promise<void>, wake (): void } | undefined

  /** Calls out; what others do wrong must not break the connection. */
  function call (what: string, run: () => void): void {
    try { run() } catch (error) { logger.error({ err: error, what }, 'ARI listener failed') }
  }

  function createInbox () {
    let buffer: { event: AriEvent, atMs: number }[] | undefined = []
    let socket: AriSocket | undefined
    const deliver = (event: AriEvent, atMs: number) => call('onEvent', () => onEvent(event, atMs))
    return {
      attach (to: AriSocket) { socket = to },
      receive (message: unknown) {
        if (state === 'replaced') return
        const event = parseAriEvent(message)
        const atMs = event.type === 'Other' ? clock.now() : dateOf(event.timestamp)
        if (event.type === 'ApplicationReplaced' && event.application === app) return replaced(socket)
        if (event.type === 'Other' && event.problem) logger.warn({ event: event.name, problem: event.problem }, 'ARI event not understood')
        if (onArrival) call('onArrival', () => onArrival(event, atMs))
        if (!buffer) return deliver(event, atMs)
        buffer.push({ event, atMs })
        if (buffer.length > MAX_BUFFERED) socket?.end('too many events while reconciling')
      },
      release () {
        const buffered = buffer ?? []
        buffer = undefined
        for (const { event, atMs } of buffered) if (state === 'up') deliver(event, atMs)
      },
    }
  }

  function replaced (socket: AriSocket | undefined): void {
    state = 'replaced'
    isListening = false
    socket?.end('replaced')
    life?.stop.abort()
    logger.warn({ app }, 'ARI application replaced by another instance')
    if (onReplaced) call('onReplaced', onReplaced)
  }

  async function open (receive: (message: unknown) => void, signal: AbortSignal): Promise<AriSocket> {
    // ari-client takes a booting or silent server badly, so ask by ourselves first.
    await rest.probe({ deadlineMs: timing.probeMs, signal })
    const { url, username, password } = options
    const socket = await openAriSocket({
      url, username, password, app, signal, openTimeoutMs: timing.openMs, heartbeatMs: timing.heartbeatMs, onMessage: receive
    })
    try {
      await rest.ignoreEvents(app, ignoredEvents, { deadlineMs: timing.probeMs, signal })
      await rest.subscribe(app, WATCHED, { deadlineMs: timing.probeMs, signal })
      return socket
    } catch (error) {
      socket.end('not registered')
      throw error
    }
  }

  /** Lives through one connection. True if it was up. */
  async function connectOnce (stop: AbortSignal): Promise<boolean> {
    const inbox = createInbox()
    state = 'connecting'
    const socket = await open(inbox.receive, stop)
    inbox.attach(socket)
    const lost = new AbortController()
    const ended = socket.ended.finally(() => { isListening = false; lost.abort() })
    const onStop = () => socket.end('stopped')
    stop.addEventListener('abort', onStop, { once: true })
    if (stop.aborted) onStop()
    isListening = !stop.aborted
    watch(socket, lost.signal).catch(() => {})
    let wasUp = false
    try {
      wasUp = await reconcile(ended, lost.signal)
      if (wasUp && !lost.signal.aborted && !stop.aborted) {
        state = 'up'
        logger.info({ app }, 'ARI is up')
        inbox.release()
      } else {
        socket.end('not reconciled')
      }
      const reason = await ended
      if (!stop.aborted) {
        state = 'down'
        logger.warn({ app, reason }, 'ARI is down')
        if (onDown) call('onDown', () => onDown(reason))
      }
    } finally {
      stop.removeEventListener('abort', onStop)
    }
    return wasUp
  }

  /** Asterisk, cleaning up after an old websocket, may unregister the application of the new one, which then stays silent. */
  async function watch (socket: AriSocket, lost: AbortSignal): Promise<void> {
    for (;;) {
      await clock.sleep(timing.heartbeatMs, lost)
      if (lost.aborted) return
      const isSubscribed = await rest.getApplication(app, { deadlineMs: timing.probeMs })
        .then(({ channel_ids: channels, bridge_ids: bridges }) => channels.length > 0 && bridges.length > 0, (error) => !isAriError(error, 'not-found'))
      if (!isSubscribed) return socket.end('application lost')
    }
  }

  async function reconcile (ended: Promise<string>, lost: AbortSignal): Promise<boolean> {
    const timer = new AbortController()
    const tooLate = clock.sleep(timing.reconcileMs, timer.signal).then(() => { throw new Error(`not reconciled in ${timing.reconcileMs} ms`) })
    tooLate.catch(() => {})
    const run = Promise.resolve().then(() => onUp(lost))
    try {
      await Promise.race([run, ended, tooLate])
      // Lost meanwhile: don't reconcile twice at once.
      if (lost.aborted) await Promise.race([run, tooLate])
      return !lost.aborted
    } catch (error) {
      if (!lost.aborted) {
        logger.error({ err: error }, 'ARI reconciliation failed')
        if (onFailure) call('onFailure', () => onFailure(error))
      }
      return false
    } finally {
      timer.abort()
    }
  }

  async function live (stop: AbortSignal, pause: (ms: number) => Promise<void>): Promise<void> {
    for (let failures = 0; !stop.aborted; failures++) {
      try {
        if (await connectOnce(stop)) failures = 0
      } catch (error) {
        logger.info({ err: error, failures }, 'ARI does not answer')
        if (onFailure) call('onFailure', () => onFailure(error))
      }
      if (stop.aborted) return
      state = 'down'
      const backoffMs = Math.min(timing.maxBackoffMs, timing.firstBackoffMs * 2 ** Math.min(failures, 16))
      await pause(backoffMs * (0.5 + Math.random() / 2))
    }
  }

  function start (): void {
    if (life && !life.stop.signal.aborted) return
    const before = life?.done ?? Promise.resolve()
    const stop = new AbortController()
    let waking = new AbortController()
    const pause = async (ms: number) => {
      waking = new AbortController()
      await clock.sleep(ms, AbortSignal.any([stop.signal, waking.signal]))
    }
    state = 'connecting'
    life = { stop, wake: () => waking.abort(), done: before.then(() => live(stop.signal, pause)) }
  }

  return {
    rest,
    get state () { return state },
    get isListening () { return isListening },
    start,
    reconnect () {
      if (!life || life.stop.signal.aborted) start()
      else life.wake()
    },
    async close () {
      life?.stop.abort()
      isListening = false
      const timer = new AbortController()
      await Promise.race([life?.done, clock.sleep(timing.closeMs, timer.signal)])
      timer.abort()
      if (state !== 'replaced') state = 'down'
      await rest.close()
    },
  }
}
