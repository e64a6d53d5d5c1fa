import { LeaseLost, type CallStore, type Commit, type Message, type StoredAnswer } from './ports.ts'
import type { Call } from '../domain/call.ts'

export interface Journal {
  /** Stores the call as it is now, with its events. Resolves when that is durable; tries until it is, or rejects with LeaseLost or when closed. */
  append (call: Call, messages: Message[], answers?: StoredAnswer[]): Promise<void>
  /** Nothing waits to be stored. */
  readonly isIdle: boolean
  /** Resolves when nothing waits to be stored. */
  idle (): Promise<void>
  readonly revision: number
  /** Another one writes now: what we say is not to be believed. */
  readonly isClosed: boolean
  /** Stops trying; what waits is rejected. */
  close (): void
}

export interface JournalOptions {
  store: CallStore
  revision: number
  /** Delays between attempts, in milliseconds. */
  backoff: () => Iterator<number>
  wait: (ms: number, signal: AbortSignal) => Promise<void>
  onStored: () => void
  onFailure: (error: unknown) => void
}

interface Pending { call: Call, messages: Message[], answers: StoredAnswer[], waiters: PromiseWithResolvers<void>[] }

/**
 * Stores the transitions of one call one after another. While the database is away they collect, and go out together
 * with the newest state once it is back.
 */
export function createJournal ({ store, revision: firstRevision, backoff, wait, onStored, onFailure }: JournalOptions): Journal {
  const closing = new AbortController()
  let revision = firstRevision
  let pending: Pending | null = null
  let running: Promise<void> | null = null

  async function run (): Promise<void> {
    while (pending) {
      const batch: Pending = pending
      pending = null
      revision += 1
      await storeUntilDone(batch)
    }
  }

  async function storeUntilDone (batch: Pending): Promise<void> {
    const delays = backoff()
    for (;;) {
      if (closing.signal.aborted) return reject(batch, new LeaseLost('the journal is closed'))
      try {
        const { call, messages, answers } = batch
        await store.commit({ call, messages, answers, revision } satisfies Commit)
        for (const waiter of batch.waiters) waiter.resolve()
        return onStored()
      } catch (error) {
        onFailure(error)
        if (error instanceof LeaseLost) {
          // What comes after a lost transition must not be stored as if nothing were missing.
          closing.abort()
          return reject(batch, error)
        }
        await wait(delays.next().value ?? 1000, closing.signal)
        absorb(batch)
      }
    }
  }

  /** What came in while the database was away joins the batch. */
  function absorb (batch: Pending): void {
    if (!pending) return
    batch.call = pending.call
    batch.messages.push(...pending.messages)
    batch.answers.push(...pending.answers)
    batch.waiters.push(...pending.waiters)
    pending = null
    revision += 1
  }

  function kick (): void {
    running ??= run().finally(() => {
      running = null
      if (pending) kick()
    })
  }

  const reject = (batch: Pending, error: Error) => batch.waiters.forEach(waiter => waiter.reject(error))

  const journal: Journal = {
    append (call, messages, answers = []) {
      const waiter = Promise.withResolvers<void>()
      waiter.promise.catch(() => {})
      pending ??= { call, messages: [], answers: [], waiters: [] }
      pending.call = call
      pending.messages.push(...messages)
      pending.answers.push(...answers)
      pending.waiters.push(waiter)
      kick()
      return waiter.promise
    },
    get isIdle () { return running === null },
    idle: () => running?.then(() => journal.idle()) ?? Promise.resolve(),
    get revision () { return revision },
    get isClosed () { return closing.signal.aborted },
    close: () => closing.abort(),
  }
  return journal
}
