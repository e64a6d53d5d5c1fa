/** As `map` would, with so many under way at a time. What fails first is thrown once the others under way have come to their end. */
export async function inParallel<Item, Result> (items: readonly Item[], limit: number, work: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = []
  const failures: unknown[] = []
  const entries = items.entries()
  async function take (): Promise<void> {
    for (const [index, item] of entries) {
      if (failures.length > 0) return
      await work(item).then(result => { results[index] = result }, error => failures.push(error))
    }
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, take))
  if (failures.length > 0) throw failures[0]
  return results
}
