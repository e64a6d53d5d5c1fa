import { systemClock } from './clock.ts'
import type { Clock } from './clock.ts'
import { AriError, isAriError, RecorderCancelled, RecorderUnconfirmed } from './errors.ts'
import { createRecorderBook } from './recorder-book.ts'
import type { Entry, Started } from './recorder-book.ts'
import { assertCommandId, assertRecorderId, toStatus } from './recorder.ts'
import type { Place, RecorderDriver, StartRequest, StopProof, StopRequest } from './recorder.ts'
import type { AriRest } from './rest.ts'

export type SnoopRecorderOptions = {
  rest: AriRest
  app: string
  /** Whether our application's websocket is up. Without it no recorder can enter Stasis, and no event proves a thing. */
  isUp: () => boolean
  clock?: Clock
  context?: string
  /** How long a failed start may take to prove that its recorder is gone. */
  cleanUpMs?: number
}

const isGone = ({ at }: Place) => at === 'gone'
const isClosed = ({ at }: Place) => at === 'stopped' || at === 'gone'
const isStartedOrClosed = (place: Place) => place.at === 'started' || isClosed(place)
const isAnywhere = () => true

/** The part of a stop's time that goes into asking; the rest is for hanging up. */
const ASKING = 0.6
const MAX_UNWANTED = 1000

/** The driver that hangs a snoop channel on the leg and sends it into the dialplan context `tacet-recorder`. */
export function createSnoopRecorderDriver (options: SnoopRecorderOptions): RecorderDriver {
  const { rest, app, isUp, clock = systemClock, context = 'tacet-recorder', cleanUpMs = 2000 } = options
  const book = createRecorderBook({ rest, clock })
  /** Recorders of starts that failed before Asterisk answered: they may still come. */
  const unwanted = new Set<string>()

  function disown (recorderId: string): void {
    unwanted.add(recorderId)
    for (const oldest of unwanted) if (unwanted.size > MAX_UNWANTED) unwanted.delete(oldest)
  }

  const leftMs = (deadlineAt: number) => Math.max(1, deadlineAt - clock.now())
  const wait = (deadlineAt: number) => ({ deadlineAt, firstLookMs: isUp() ? 100 : 2 })

  /** Sends the recorder to an extension. False when it could not go (it is not in Stasis now), or when nobody knows. */
  async function send (entry: Entry, extension: string, deadlineAt: number, signal?: AbortSignal): Promise<boolean> {
    try {
      const call = { deadlineMs: Math.min(1000, leftMs(deadlineAt)), ...(signal ? { signal } : {}) }
      await rest.continueInDialplan(entry.recorderId, context, extension, 1, call)
      return true
    } catch (error) {
      if (isAriError(error, 'not-found')) book.note(entry, { at: 'gone' }, 'inspection')
      else if (!isAriError(error, 'conflict', 'timeout', 'unavailable')) throw error
      return false
    }
  }

  /** Hangs it up (its `h` closes the file) and waits until it is gone. */
  async function remove (entry: Entry, deadlineAt: number): Promise<boolean> {
    for (let pauseMs = 10; ; pauseMs = Math.min(pauseMs * 2, 250)) {
      try {
        await rest.hangup(entry.recorderId, { deadlineMs: Math.min(1000, leftMs(deadlineAt)) })
        return await book.until(entry, isGone, { deadlineAt, firstLookMs: 2 })
      } catch {
        if (clock.now() >= deadlineAt) return false
        await clock.sleep(Math.min(pauseMs, leftMs(deadlineAt)))
      }
    }
  }

  /** Of several creators of one id one wins; the others get a 500, and look. */
  async function create (entry: Entry, request: StartRequest, deadlineAt: number, signal: AbortSignal): Promise<void> {
    const { recorderId: snoopId, legId: channelId, spy } = request
    try {
      await rest.snoop({ channelId, snoopId, spy, app }, { deadlineMs: leftMs(deadlineAt), signal })
    } catch (error) {
      if (signal.aborted || !isAriError(error) || (error.status !== 500 && error.kind !== 'conflict')) throw error
      await book.look(entry, leftMs(deadlineAt))
      if (entry.place?.at === 'gone') throw error
    }
  }

  async function begin (entry: Entry, { sampleRateHz }: StartRequest, deadlineAt: number, signal: AbortSignal): Promise<void> {
    const extension = sampleRateHz === 8000 ? 'start' : `start-${sampleRateHz}`
    let isThere = false
    while (!isThere && clock.now() < deadlineAt && !signal.aborted) {
      // A fresh snoop is not in Stasis at once; its StasisStart says when.
      if (!entry.place) await book.until(entry, isAnywhere, { deadlineAt, firstLookMs: 5, signal })
      const isOnItsWay = entry.place?.at !== 'created' || await send(entry, extension, deadlineAt, signal)
      const patienceAt = isOnItsWay ? deadlineAt : Math.min(deadlineAt, clock.now() + 5)
      isThere = await book.until(entry, isStartedOrClosed, { ...wait(patienceAt), signal })
    }
    if (entry.place?.at === 'started') return
    const kind = entry.place?.at === 'gone' ? 'not-found' : entry.place?.at === 'stopped' ? 'conflict' : 'timeout'
    throw new AriError(kind, { operation: 'start', message: `recorder is ${entry.place?.at ?? 'not there yet'}` })
  }

  async function runStart (entry: Entry, request: StartRequest, cancelled: AbortSignal): Promise<Started> {
    const deadlineAt = clock.now() + request.deadlineMs
    const signal = request.signal ? AbortSignal.any([request.signal, cancelled]) : cancelled
    let isCreated = false
    try {
      signal.throwIfAborted()
      if (!isUp()) throw new AriError('unavailable', { operation: 'start', message: 'our application is not connected' })
      await create(entry, request, deadlineAt, signal)
      isCreated = true
      await begin(entry, request, deadlineAt, signal)
      return { startedAtMs: entry.sinceMs, proof: entry.by }
    } catch (cause) {
      const error = signal.aborted ? new RecorderCancelled(entry.recorderId) : cause
      if (entry.place && isClosed(entry.place)) throw error
      disown(entry.recorderId)
      if (!isCreated) rest.hangup(entry.recorderId).catch(() => {})
      else if (!await remove(entry, clock.now() + cleanUpMs)) throw new RecorderUnconfirmed(entry.recorderId, { cause: error })
      throw error
    }
  }

  async function start (request: StartRequest): Promise<Started> {
    assertRecorderId(request.recorderId)
    const entry = book.of(request.recorderId)
    if (entry.starting) return await entry.starting.promise
    if (entry.place?.at === 'started') return { startedAtMs: entry.sinceMs, proof: entry.by }
    unwanted.delete(request.recorderId)
    const cancelling = new AbortController()
    const promise = runStart(entry, request, cancelling.signal).finally(() => {
      entry.starting = undefined
      if (!entry.place || entry.place.at === 'gone') book.forget(entry)
    })
    entry.starting = { promise, cancel: () => cancelling.abort() }
    return await promise
  }

  /** Asks it to stop until it is closed, or until asking has no more point. */
  async function askToStop (entry: Entry, commandId: string, deadlineAt: number): Promise<boolean> {
    for (let pauseMs = 10; clock.now() < deadlineAt; pauseMs = Math.min(pauseMs * 2, 100)) {
      const sent = send(entry, `stop-${commandId}`, deadlineAt)
      sent.catch(() => {})
      await book.stepOr(entry, sent)
      if (entry.place && isClosed(entry.place)) return true
      if (await sent) return await book.until(entry, isClosed, wait(deadlineAt))
      await book.look(entry, leftMs(deadlineAt)).catch(() => {})
      if (entry.place && isClosed(entry.place)) return true
      // It knocks at Stasis, and without our websocket nobody lets it in: it can't be sent anywhere.
      if (!isUp()) return false
      await book.stepOr(entry, clock.sleep(Math.min(pauseMs, leftMs(deadlineAt))))
    }
    return false
  }

  async function runStop (entry: Entry, commandId: string, deadlineMs: number): Promise<StopProof | undefined> {
    const deadlineAt = clock.now() + deadlineMs
    if (entry.starting) {
      entry.starting.cancel()
      const timer = new AbortController()
      await Promise.race([entry.starting.promise.catch(() => {}), clock.sleep(deadlineMs, timer.signal)])
      timer.abort('over')
    }
    if (!entry.place) await book.look(entry, Math.max(1, deadlineMs / 4)).catch(() => {})
    // One that never began has nothing to close; it is hung up so that nobody can begin it any more.
    const isAskable = !entry.starting && entry.place?.at !== 'created' && !(entry.place && isClosed(entry.place))
    if (isAskable) await askToStop(entry, commandId, clock.now() + (deadlineAt - clock.now()) * ASKING)
    if (entry.place?.at === 'gone') return 'absent'
    if (entry.place?.at === 'stopped') return entry.by
    return await remove(entry, deadlineAt) ? 'deleted' : undefined
  }

  async function stop ({ recorderId, commandId, deadlineMs }: StopRequest) {
    assertRecorderId(recorderId)
    assertCommandId(commandId)
    const entry = book.of(recorderId)
    try {
      const proof = await runStop(entry, commandId, deadlineMs)
      if (proof) return { proof, atMs: entry.sinceMs }
    } catch (cause) {
      throw new RecorderUnconfirmed(recorderId, { cause })
    }
    throw new RecorderUnconfirmed(recorderId)
  }

  async function discard (recorderId: string, deadlineMs: number): Promise<void> {
    const deadlineAt = clock.now() + deadlineMs
    for (let pauseMs = 20; ; pauseMs = Math.min(pauseMs * 2, 500)) {
      try {
        return await rest.hangup(recorderId, { deadlineMs: Math.min(2000, leftMs(deadlineAt)) })
      } catch (error) {
        if (clock.now() + pauseMs >= deadlineAt) throw error
        await clock.sleep(pauseMs)
      }
    }
  }

  return {
    start,
    stop,
    discard,
    async inspect (recorderId) {
      const entry = book.of(recorderId)
      await book.look(entry, 2000)
      return toStatus(entry)
    },
    list: async () => (await book.lookAtAll()).map(toStatus),
    onEvent (event, atMs) {
      book.onEvent(event, atMs)
      if (event.type === 'ChannelDestroyed') unwanted.delete(event.channel.id)
      if (event.type === 'StasisStart' && unwanted.has(event.channel.id)) rest.hangup(event.channel.id).catch(() => {})
    },
  }
}
