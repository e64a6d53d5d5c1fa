/** Settles as the promise does, or rejects with `message` when that takes too long. */
export async function withDeadline<T> (promise: Promise<T>, timeoutMs: number, message: string | (() => string)): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${typeof message === 'string' ? message : message()} (waited ${timeoutMs} ms)`)), timeoutMs)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

type Truthy<T> = Exclude<T, false | 0 | '' | null | undefined>

export interface EventuallyOptions {
  timeoutMs?: number
  intervalMs?: number
  message?: string
}

/**
 * Asks again and again until the answer is truthy, and returns it. A predicate that throws counts as "not yet".
 * Patient by default, as the machine may be busy: who promises something sooner says so.
 * Rejects at the deadline with the message, and the predicate's last error as its cause.
 */
export async function eventually<T> (predicate: () => T | Promise<T>, { timeoutMs = 20_000, intervalMs = 25, message = 'it did not become true' }: EventuallyOptions = {}): Promise<Truthy<T>> {
  const deadline = performance.now() + timeoutMs
  let cause: unknown
  for (;;) {
    try {
      cause = undefined
      const remainingMs = Math.max(1, deadline - performance.now())
      const answer = await withDeadline(Promise.resolve(predicate()), remainingMs, 'the predicate itself did not answer')
      if (answer) return answer as Truthy<T>
    } catch (error) {
      cause = error
    }
    if (performance.now() + intervalMs > deadline) throw new Error(`${message} (waited ${timeoutMs} ms)`, { cause })
    await new Promise(resolve => setTimeout(resolve, intervalMs))
  }
}
