export interface BatcherOptions<Item, Result> {
  /** Does the work of several items; the results are in their order. */
  run: (items: Item[]) => Promise<Result[]>
  /** Items of one key never share a batch. */
  keyOf: (item: Item) => unknown
  /** Whether an error is all the batch's. Otherwise each item is run again alone, so that one can't spoil the others. */
  isShared: (error: unknown) => boolean
  maxInFlight?: number
  maxSize?: number
}

/** Runs an item at once while few are under way; what comes meanwhile waits and then goes together. */
export function createBatcher<Item, Result> ({ run, keyOf, isShared, maxInFlight = 2, maxSize = 100 }: BatcherOptions<Item, Result>): (item: Item) => Promise<Result> {
  type Waiting = PromiseWithResolvers<Result> & { item: Item }
  let waiting: Waiting[] = []
  let inFlight = 0

  function takeBatch (): Waiting[] {
    const batch = new Map<unknown, Waiting>()
    const rest: Waiting[] = []
    for (const one of waiting) {
      const key = keyOf(one.item)
      if (batch.size < maxSize && !batch.has(key)) batch.set(key, one)
      else rest.push(one)
    }
    waiting = rest
    return [...batch.values()]
  }

  async function work (batch: Waiting[]): Promise<void> {
    try {
      const results = await run(batch.map(({ item }) => item))
      batch.forEach((one, index) => one.resolve(results[index] as Result))
    } catch (error) {
      if (batch.length === 1 || isShared(error)) batch.forEach(one => one.reject(error))
      else await Promise.all(batch.map(one => work([one])))
    }
  }

  function next (): void {
    if (waiting.length === 0 || inFlight >= maxInFlight) return
    inFlight += 1
    void work(takeBatch()).finally(() => {
      inFlight -= 1
      next()
    })
  }

  return item => {
    const one = { item, ...Promise.withResolvers<Result>() }
    waiting.push(one)
    next()
    return one.promise
  }
}
