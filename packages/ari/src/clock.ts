import { setTimeout as sleep } from 'node:timers/promises'

export interface Clock {
  /** Epoch milliseconds. */
  now (): number
  /** Resolves early, without an error, when the signal aborts. */
  sleep (ms: number, signal?: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) => sleep(ms, undefined, signal ? { signal } : {}).catch(() => {}),
}
