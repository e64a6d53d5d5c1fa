/** What is active on the PBX while this instance holds the lease. */
export interface Watch {
  /** Resolves when another instance took the websocket over. */
  replaced: Promise<void>
  close (): Promise<void>
}

export interface PostOptions<W extends Watch> {
  /** The epoch while the lease is ours. Rejects while the database is away. */
  acquire: () => Promise<number | undefined>
  release: () => Promise<void>
  open: (epoch: number) => W
  wait: (ms: number, signal: AbortSignal) => Promise<void>
  renewEveryMs: number
  /** After having been replaced, before the lease is looked at again. */
  backOffMs: () => number
  onChange: (role: Role) => void
  onError: (error: unknown) => void
}

export type Role = 'active' | 'standby'

/**
 * One active instance a PBX: whoever holds the lease. While the database is away the active one stays so, since nobody
 * else can take over then; the websocket, of which Asterisk keeps only one, is the fence.
 */
export function createPost<W extends Watch> (options: PostOptions<W>) {
  const stopping = new AbortController()
  let watch: W | undefined
  let epoch: number | undefined
  let running: Promise<void> | undefined

  async function leave (): Promise<void> {
    const left = watch
    watch = undefined
    if (!left) return
    options.onChange('standby')
    await left.close()
  }

  async function renew (): Promise<void> {
    const held = await options.acquire()
    if (held === undefined || (epoch !== undefined && held !== epoch)) await leave()
    epoch = held
    if (held === undefined || watch) return
    watch = options.open(held)
    options.onChange('active')
  }

  async function run (): Promise<void> {
    while (!stopping.signal.aborted) {
      await renew().catch(options.onError)
      const wasReplaced = await Promise.race([options.wait(options.renewEveryMs, stopping.signal).then(() => false), watch?.replaced.then(() => true) ?? new Promise<never>(() => {})])
      if (!wasReplaced) continue
      await leave()
      await options.wait(options.backOffMs(), stopping.signal)
    }
  }

  return {
    start (): void {
      running ??= run()
    },
    get watch () { return watch },
    get role (): Role { return watch ? 'active' : 'standby' },
    /** Another instance's writes were seen: leave before the next renewal. */
    resign (): void { leave().catch(options.onError) },
    async stop (): Promise<void> {
      stopping.abort()
      await running
      await leave()
      await options.release().catch(options.onError)
    },
  }
}
