import type { Clock } from '@tacet/ari'

export interface FakeTime {
  now: () => number
  /** As service-kit's pause: ends early, without an error, when the signal is aborted. */
  wait: (ms: number, signal?: AbortSignal) => Promise<void>
  /** For the fake recorder driver. */
  clock: Clock
  /** Lets everything run that can without time passing. */
  settle: () => Promise<void>
  /** Lets so much time pass, timer by timer. */
  advance: (ms: number) => Promise<void>
  /** The process is frozen for so long: time passes, and nothing runs. */
  sleepThrough: (ms: number) => void
  /** The same without settling first. */
  advanceTo: (epochMs: number) => Promise<void>
}

/** Time that passes only when told to. */
export function createFakeTime (startMs = Date.parse('2026-11-23T09:00:00.000Z')): FakeTime {
  let nowMs = startMs
  const timers = new Set<{ atMs: number, fire: () => void }>()

  function wait (ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      if (ms <= 0 || signal?.aborted) return resolve()
      const fire = () => {
        timers.delete(timer)
        signal?.removeEventListener('abort', fire)
        resolve()
      }
      const timer = { atMs: nowMs + ms, fire }
      timers.add(timer)
      signal?.addEventListener('abort', fire, { once: true })
    })
  }

  async function settle (): Promise<void> {
    // Each turn of the event loop drains every promise that is ready.
    for (let turn = 0; turn < 2; turn += 1) await new Promise(resolve => setImmediate(resolve))
  }

  async function advanceTo (epochMs: number): Promise<void> {
    for (;;) {
      const next = [...timers].sort((one, other) => one.atMs - other.atMs)[0]
      if (!next || next.atMs > epochMs) break
      nowMs = Math.max(nowMs, next.atMs)
      next.fire()
      await settle()
    }
    nowMs = Math.max(nowMs, epochMs)
  }

  return {
    now: () => nowMs,
    wait,
    clock: { now: () => nowMs, sleep: wait },
    settle,
    async advance (ms) {
      await settle()
      await advanceTo(nowMs + ms)
    },
    sleepThrough (ms) { nowMs += ms },
    advanceTo,
  }
}
