export interface Lull {
  /** Does the work with somebody waiting for it. */
  during<T> (work: () => Promise<T>): Promise<T>
  /** Resolves when nobody waits and the last answer has gone out, and at the latest after `withinMs`. */
  come (): Promise<void>
}

/**
 * Of a hundred pauses at once each one's answer comes before all that can be done later: removing what was stopped,
 * telling others. Those take the same processors, here and at Asterisk's, PostgreSQL's and Kafka's.
 */
export function createLull ({ wait, withinMs }: { wait: (ms: number, signal: AbortSignal) => Promise<void>, withinMs: number }): Lull {
  let waiting = 0
  let lull = Promise.withResolvers<void>()
  lull.resolve()

  return {
    async during (work) {
      if (waiting === 0) lull = Promise.withResolvers()
      waiting += 1
      try {
        return await work()
      } finally {
        waiting -= 1
        // By then the answer is written to the socket.
        if (waiting === 0) setImmediate(lull.resolve)
      }
    },
    async come () {
      const done = new AbortController()
      await Promise.race([lull.promise, wait(withinMs, done.signal)]).finally(() => done.abort('done'))
    },
  }
}
