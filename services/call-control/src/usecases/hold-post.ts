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
  clock: () => number
  renewEveryMs: number
  /** After so long without a renewal another one takes over. */
  ttlMs: number
  /** After having been replaced, before the lease is looked at again. */
  backOffMs: () => number
  onChange: (role: Role) => void
  onError: (error: unknown) => void
}

/** The answer was too old when it came. */
const askAgainMs = 100

export type Role = 'active' | 'standby'

/**
 * One active instance a PBX: whoever holds the lease. While the database is away the active one stays so, since nobody
 * else can take over then; the websocket, of which Asterisk keeps only one, is the fence. But one that slept past its lease
 * knows nothing: until it has asked again it must not act (docs/adr/0009).
 */
export function createPost<W extends Watch> (options: PostOptions<W>) {
  const stopping = new AbortController()
  let watch: W | undefined
  let epoch: number | undefined
  let running: Promise<void> | undefined
  /** When the database was last asked, or was last found to be away. */
  let askedAtMs = -Infinity

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

  /** What was answered holds from the moment it was asked; that the database is away, as long as finding that out did not take a whole lease. */
  async function ask (): Promise<void> {
    const askingAtMs = options.clock()
    try {
      await renew()
      askedAtMs = askingAtMs
    } catch (error) {
      options.onError(error)
      if (options.clock() - askingAtMs < options.ttlMs) askedAtMs = options.clock()
    }
  }

  const isCurrent = () => options.clock() - askedAtMs < options.ttlMs

  async function run (): Promise<void> {
    while (!stopping.signal.aborted) {
      await ask()
      const wasReplaced = await Promise.race([options.wait(isCurrent() ? options.renewEveryMs : askAgainMs, stopping.signal).then(() => false), watch?.replaced.then(() => true) ?? new Promise<never>(() => {})])
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
    /** Nobody else can have taken over without our having had the time to hear of it. */
    get isCurrent () { return isCurrent() },
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
