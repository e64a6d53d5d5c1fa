import type { RecorderDriver, StopProof } from '@tacet/ari'
import type { TrackName } from '@tacet/contracts'
import { recorderId, type Call } from '../domain/call.ts'
import type { Proof, RecordingEffect, RecordingInput } from '../domain/recording.ts'
import type { Lull } from './lull.ts'

export interface RecorderTimings {
  /** Speech under way in the network when a resume is asked for stays out of the recording. */
  resumeGuardMs: number
  startTimeoutMs: number
  stopTimeoutMs: number
  /** Between attempts to stop a recorder that could not be proven stopped, or to start one that failed. */
  retryDelayMs: number
  /** How often the end of a recording tries to prove its files closed before it gives up. */
  maxSealAttempts: number
}

export interface RecordersOptions {
  driver: RecorderDriver
  timings: RecorderTimings
  lull: Pick<Lull, 'come'>
  clock: () => number
  wait: (ms: number, signal?: AbortSignal) => Promise<void>
  newId: () => string
  /** Results come back as further inputs. */
  report: (input: RecordingInput) => void
  onError: (error: unknown, what: string, segment: number) => void
}

/** Between the end of one recorder and the start of the next on the same leg. */
const settleMs = 50

type StartEffect = Extract<RecordingEffect, { type: 'start-recorder' }>
type StopEffect = Extract<RecordingEffect, { type: 'stop-recorder' }>
type CallTracks = Pick<Call, 'callId' | 'tracks' | 'recordedLegId' | 'ownLegId' | 'sampleRateHz'>

/** What the customer says comes in from their leg, and goes out to the agent's. */
const spyOf = (track: TrackName, isOwnLeg: boolean) => track === 'mix' ? 'both' : isOwnLeg ? track === 'in' ? 'out' : 'in' : track
/** Of several tracks, the pause is proven no better than the worst of them. */
const proofOrder: StopProof[] = ['event', 'inspection', 'deleted', 'absent']

/** Runs the recorders of one call: the only place that turns effects into driver operations. */
export function createRecorders ({ driver, timings, lull, clock, wait, newId, report, onError }: RecordersOptions) {
  const starts = new Map<number, AbortController>()
  const stops = new Map<number, StopEffect['urgency']>()
  /** A recorder made within a packet of the last one's end can inherit its deafness (docs/adr/0003). */
  let previousGone: Promise<unknown> = Promise.resolve()
  const closing = new AbortController()

  async function start (call: CallTracks, { segment, isGuarded, requestedAtMs, attempt }: StartEffect): Promise<void> {
    const abort = new AbortController()
    starts.set(segment, abort)
    const signal = AbortSignal.any([abort.signal, closing.signal])
    try {
      await wait(Math.max(isGuarded ? requestedAtMs + timings.resumeGuardMs - clock() : 0, attempt > 1 ? timings.retryDelayMs : 0), signal)
      await previousGone
      if (signal.aborted) return
      const askedAtMs = clock()
      const { ownLegId = null } = call
      const legId = ownLegId ?? call.recordedLegId ?? ''
      const started = await Promise.all(call.tracks.map(track => driver.start({
        recorderId: recorderId(call, segment, track), legId, spy: spyOf(track, ownLegId !== null), sampleRateHz: call.sampleRateHz, deadlineMs: timings.startTimeoutMs, signal,
      })))
      const tracksOpenedAtMs = started.map(proof => proof.startedAtMs)
      report({ type: 'recorder-started', atMs: Math.max(...tracksOpenedAtMs), segment, requestedAtMs: askedAtMs, ...(call.tracks.length > 1 && { tracksOpenedAtMs }) })
    } catch (error) {
      if (!signal.aborted) await giveUpStart(call, segment, error)
    } finally {
      starts.delete(segment)
    }
  }

  async function giveUpStart (call: CallTracks, segment: number, error: unknown): Promise<void> {
    onError(error, 'recorder did not start', segment)
    try {
      const { atMs } = await stopTracks(call, segment, null)
      report({ type: 'recorder-failed', atMs, segment, detail: String(error) })
    } catch {
      report({ type: 'stop-unproven', atMs: clock(), segment })
    }
  }

  async function stopTracks (call: CallTracks, segment: number, commandId: string | null): Promise<{ atMs: number, proof: Proof }> {
    const proofs = await Promise.all(call.tracks.map(track =>
      driver.stop({ recorderId: recorderId(call, segment, track), commandId: commandId ?? newId(), deadlineMs: timings.stopTimeoutMs })))
    return {
      atMs: Math.max(...proofs.map(proof => proof.atMs)),
      proof: proofs.map(proof => proof.proof).sort((one, other) => proofOrder.indexOf(other) - proofOrder.indexOf(one))[0] ?? 'absent',
    }
  }

  /** Nothing is awaited before the driver is told to stop. */
  async function stop (call: CallTracks, { segment, commandId, urgency }: Omit<StopEffect, 'type'>): Promise<void> {
    // An end that finds a stop under way inherits it, but won't give up as soon.
    const isUnderWay = stops.has(segment)
    if (!isUnderWay || urgency === 'seal') stops.set(segment, urgency)
    if (isUnderWay) return
    starts.get(segment)?.abort()
    if (urgency === 'again') await wait(timings.retryDelayMs, closing.signal)
    let outcome: RecordingInput | undefined
    for (let attempt = 1; outcome === undefined && !closing.signal.aborted; attempt += 1) {
      try {
        outcome = { type: 'recorder-stopped', segment, ...await stopTracks(call, segment, commandId) }
      } catch (error) {
        onError(error, 'recorder not proven stopped', segment)
        if (stops.get(segment) === 'seal' && attempt < timings.maxSealAttempts) await wait(timings.retryDelayMs, closing.signal)
        else outcome = { type: 'stop-unproven', atMs: clock(), segment }
      }
    }
    // Before the report: what comes of it may be the next stop.
    stops.delete(segment)
    if (outcome && (outcome.type === 'recorder-stopped' || !closing.signal.aborted)) report(outcome)
  }

  /** One that was proven stopped is in nobody's way: others' stops and answers come first. */
  async function discard (call: CallTracks, segment: number): Promise<void> {
    const gone = lull.come()
      .then(() => Promise.all(call.tracks.map(track => driver.discard(recorderId(call, segment, track), timings.stopTimeoutMs))))
      .catch(error => onError(error, 'stopped recorder not removed', segment))
      .then(() => wait(settleMs, closing.signal))
    previousGone = Promise.all([previousGone, gone])
    await gone
  }

  return {
    start,
    stop,
    discard,
    /** We are already at work on this segment. */
    isBusy: (segment: number) => starts.has(segment) || stops.has(segment),
    close: () => closing.abort(),
  }
}

export type Recorders = ReturnType<typeof createRecorders>
