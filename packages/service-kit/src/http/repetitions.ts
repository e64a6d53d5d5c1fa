export interface RepetitionOptions {
  windowMs?: number
  /** Of whatever is kept apart; beyond that the oldest ends early. */
  atMost?: number
  now?: () => number
}

interface Window {
  endsMs: number
  times: number
  tell: (times: number) => void
  timer?: NodeJS.Timeout
}

export type Repetitions = ReturnType<typeof createRepetitions>

/** Tells what is new from what comes again and again; once the time is over, how often that was. */
export function createRepetitions ({ windowMs = 10 * 60_000, atMost = 10_000, now = Date.now }: RepetitionOptions = {}) {
  const windows = new Map<string, Window>()

  function close (key: string, { timer, times, tell }: Window): void {
    windows.delete(key)
    clearTimeout(timer)
    if (times > 0) tell(times)
  }

  return {
    /** False for a repetition. `tell` is called when the time is over, if there were any. */
    isNew (key: string, tell: (times: number) => void): boolean {
      const nowMs = now()
      const open = windows.get(key)
      if (open !== undefined && nowMs < open.endsMs) {
        open.times++
        // A process that ends meanwhile does not wait for it.
        open.timer ??= setTimeout(() => close(key, open), open.endsMs - nowMs).unref()
        return false
      }
      if (open !== undefined) close(key, open)
      for (const [oldest, window] of windows) {
        if (windows.size < atMost) break
        close(oldest, window)
      }
      windows.set(key, { endsMs: nowMs + windowMs, times: 0, tell })
      return true
    },
  }
}
