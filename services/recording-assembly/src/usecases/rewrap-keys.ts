import type { Logger } from '@tacet/service-kit'
import type { StoredFile } from './ports.ts'

const BATCH = 200

export type Generation = Omit<StoredFile, 'file'>

/** The keys of generations, by the master keys that wrap them. */
export interface WrappedKeys {
  /**
   * Wraps by the newest master key what another one of ours wrapped, of so many rows after this one. What can't be unwrapped stays as
   * it is, and keeps no other waiting. `next`: where to go on, if there may be more.
   */
  rewrap (limit: number, after?: Generation): Promise<{ rewrapped: number, unreadable: number, next: Generation | null }>
  /** By master key, how many keys it wraps. */
  counts (): Promise<{ masterKeyId: string, isConfigured: boolean, count: number }[]>
}

/** After a new master key has come: wraps what older ones wrapped, until they are not needed any more. Returns how many were. */
export function createRewrapKeys ({ keys, logger }: { keys: WrappedKeys, logger: Logger }) {
  let told = ''

  /** When it changes: it may well stay so for long. */
  async function tellOfUnreadable (unreadable: number): Promise<void> {
    const unknown = (await keys.counts()).filter(({ isConfigured }) => !isConfigured)
    const facts = { unreadable, unknown: Object.fromEntries(unknown.map(({ masterKeyId, count }) => [masterKeyId, count])) }
    const news = JSON.stringify(facts)
    if (news === told) return
    told = news
    if (unreadable > 0 || unknown.length > 0) logger.error(facts, 'recordings can not be read: their keys are wrapped by master keys that are not configured, or are others by the same name')
  }

  return async (signal: AbortSignal): Promise<number> => {
    let [rewrapped, unreadable] = [0, 0]
    let after: Generation | undefined
    do {
      const batch = await keys.rewrap(BATCH, after)
      rewrapped += batch.rewrapped
      unreadable += batch.unreadable
      after = batch.next ?? undefined
    } while (after !== undefined && !signal.aborted)
    if (rewrapped > 0) logger.info({ rewrapped }, 'keys wrapped by the newest master key')
    await tellOfUnreadable(unreadable)
    return rewrapped
  }
}
