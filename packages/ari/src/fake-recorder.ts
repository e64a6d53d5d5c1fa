import { systemClock } from './clock.ts'
import type { Clock } from './clock.ts'
import { AriError, RecorderCancelled, RecorderUnconfirmed } from './errors.ts'
import type { AriErrorKind } from './errors.ts'
import { assertCommandId, assertRecorderId } from './recorder.ts'
import type { RecorderDriver, RecorderStatus, StartRequest, StopRequest } from './recorder.ts'

/** What goes wrong, from now on until it is taken back. */
export type RecorderFaults = {
  startDelayMs: number
  stopDelayMs: number
  /** Starts fail, with no recorder left behind. */
  refuseStart?: AriErrorKind | undefined
  /** Starts fail, and nobody knows whether the recorder records. It does. */
  loseStartProof: boolean
  /** Stops end unconfirmed at their deadline; the recorder goes on. */
  loseStopProof: boolean
}

export type FakeRecorderDriver = RecorderDriver & {
  faults: RecorderFaults
  /** Every call that was made, in order. */
  calls: ({ name: 'start' } & StartRequest | { name: 'stop' } & StopRequest | { name: 'discard', recorderId: string })[]
  /** The leg is gone, with its recorders; it can't be recorded any more. */
  hangUpLeg (legId: string): void
  /** The recorder is gone, as after a crash of Asterisk. */
  vanish (recorderId: string): void
}

type Recorder = RecorderStatus & { legId: string, startedAtMs: number, stoppedAtMs?: number, starting?: { promise: Promise<void>, cancel: AbortController } | undefined }

/** Recorders in memory, with faults, for tests. Any leg id is a leg until it is hung up. */
export function createFakeRecorderDriver ({ clock = systemClock }: { clock?: Clock } = {}): FakeRecorderDriver {
  const recorders = new Map<string, Recorder>()
  const goneLegs = new Set<string>()
  const faults: RecorderFaults = { startDelayMs: 0, stopDelayMs: 0, loseStartProof: false, loseStopProof: false }
  const calls: FakeRecorderDriver['calls'] = []

  const statusOf = ({ recorderId, state, commandId }: Recorder): RecorderStatus =>
    ({ recorderId, state, ...(commandId === undefined ? {} : { commandId }) })

  function refuse (kind: AriErrorKind): never {
    throw new AriError(kind, { operation: 'start', message: 'refused by the fake' })
  }

  async function begin (recorder: Recorder, { recorderId, legId, signal, deadlineMs }: StartRequest, cancelled: AbortSignal): Promise<void> {
    const stopped = signal ? AbortSignal.any([signal, cancelled]) : cancelled
    await clock.sleep(Math.min(faults.startDelayMs, deadlineMs), stopped)
    const isLate = faults.startDelayMs > deadlineMs
    if (faults.loseStartProof) {
      recorder.state = 'recording'
      throw new RecorderUnconfirmed(recorderId)
    }
    if (!stopped.aborted && !isLate && !goneLegs.has(legId) && !faults.refuseStart) {
      Object.assign(recorder, { state: 'recording', startedAtMs: clock.now() })
      return
    }
    recorders.delete(recorderId)
    if (stopped.aborted) throw new RecorderCancelled(recorderId)
    refuse(goneLegs.has(legId) ? 'not-found' : isLate ? 'timeout' : faults.refuseStart ?? 'unavailable')
  }

  return {
    faults,
    calls,

    async start (request) {
      assertRecorderId(request.recorderId)
      calls.push({ name: 'start', ...request })
      const { recorderId, legId } = request
      const known = recorders.get(recorderId)
      if (known?.state === 'stopped') refuse('conflict')
      const recorder = known ?? { recorderId, legId, state: 'created', startedAtMs: 0 }
      if (!known) {
        recorders.set(recorderId, recorder)
        const cancel = new AbortController()
        const promise = begin(recorder, request, cancel.signal).finally(() => { recorder.starting = undefined })
        recorder.starting = { promise, cancel }
      }
      await recorder.starting?.promise
      return { startedAtMs: recorder.startedAtMs, proof: 'event' }
    },

    async stop (request) {
      const { recorderId, commandId, deadlineMs } = request
      assertRecorderId(recorderId)
      assertCommandId(commandId)
      calls.push({ name: 'stop', ...request })
      const recorder = recorders.get(recorderId)
      if (recorder?.starting) {
        recorder.starting.cancel.abort()
        await recorder.starting.promise.catch(() => {})
      }
      const delayMs = faults.loseStopProof ? deadlineMs : Math.min(faults.stopDelayMs, deadlineMs)
      if (delayMs > 0) await clock.sleep(delayMs)
      if (!recorder || recorders.get(recorderId) !== recorder) return { proof: 'absent', atMs: clock.now() }
      if (recorder.state === 'stopped') return { proof: 'event', atMs: recorder.stoppedAtMs ?? clock.now() }
      if (faults.loseStopProof || faults.stopDelayMs > deadlineMs) throw new RecorderUnconfirmed(recorderId)
      Object.assign(recorder, { state: 'stopped', commandId, stoppedAtMs: clock.now() })
      return { proof: 'event', atMs: clock.now() }
    },

    async discard (recorderId) {
      calls.push({ name: 'discard', recorderId })
      recorders.delete(recorderId)
    },

    async inspect (recorderId) {
      const recorder = recorders.get(recorderId)
      return recorder ? statusOf(recorder) : { recorderId, state: 'absent' }
    },

    list: async () => [...recorders.values()].map(statusOf),

    onEvent () {},

    hangUpLeg (legId) {
      goneLegs.add(legId)
      for (const recorder of recorders.values()) if (recorder.legId === legId) recorders.delete(recorder.recorderId)
    },

    vanish: (recorderId) => { recorders.delete(recorderId) },
  }
}
