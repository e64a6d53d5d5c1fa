import { setTimeout as delay } from 'node:timers/promises'
import { Failure, messageOf } from './failure.ts'

type WaitOptions = { what: string, timeoutMs: number, signal: AbortSignal, everyMs?: number }

/**
 * Repeats an attempt until it no longer throws.
 * Rejects with a Failure that names `what` and the last error when `timeoutMs` have passed, or at once when aborted.
 */
export async function untilItWorks<T> (attempt: () => Promise<T>, options: WaitOptions): Promise<T> {
  const { what, timeoutMs, signal, everyMs = 50 } = options
  const deadline = performance.now() + timeoutMs
  while (true) {
    try {
      return await attempt()
    } catch (error) {
      signal.throwIfAborted()
      if (performance.now() >= deadline) throw new Failure(`${what} not ready after ${timeoutMs / 1000} s: ${messageOf(error)}`)
    }
    await delay(everyMs, undefined, { signal })
  }
}

/** Resolves when a GET answers 2xx; throws otherwise. */
export async function expectOk (url: string): Promise<void> {
  const response = await fetch(url, { signal: AbortSignal.timeout(2000) })
  await response.arrayBuffer()
  if (!response.ok) throw new Error(`${url} answered ${response.status}`)
}
