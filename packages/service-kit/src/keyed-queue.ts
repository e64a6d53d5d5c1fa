export interface KeyedQueue {
  /** Runs `task` after all earlier tasks of the same key, whether those failed or not; settles as the task does. */
  run<T> (key: string, task: () => Promise<T> | T): Promise<T>
  /** Keys with work in progress or waiting. */
  readonly size: number
  /** Resolves when nothing is in progress or waiting. */
  idle (): Promise<void>
}

export function createKeyedQueue (): KeyedQueue {
  const tails = new Map<string, Promise<unknown>>()

  return {
    run (key, task) {
      const result = (tails.get(key) ?? Promise.resolve()).then(task)
      const tail = result.catch(() => {}).then(() => {
        if (tails.get(key) === tail) tails.delete(key)
      })
      tails.set(key, tail)
      return result
    },
    get size () {
      return tails.size
    },
    async idle () {
      while (tails.size > 0) await Promise.all(tails.values())
    },
  }
}
