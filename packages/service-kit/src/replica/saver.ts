import type { Logger } from '../logging.ts'
import type { ReplicaEntries, ReplicaEntry } from './entries.ts'
import type { ReplicaStore } from './store.ts'

const chunkSize = 500
const retryAfterMs = 5_000

/** Writes changes to the stored copy. Memory goes ahead: without a database they wait here and are tried again. */
export function createSaver ({ store, entries, logger }: { store: ReplicaStore, entries: ReplicaEntries, logger: Logger }) {
  const changed = new Set<string>()
  const forgotten = new Set<string>()
  let failedAt = 0
  let writing: Promise<void> = Promise.resolve()

  async function write (): Promise<void> {
    if (changed.size === 0 && forgotten.size === 0) return
    const ids = [...changed]
    const gone = [...forgotten]
    // Emptied first: what changes while we write is for the next time.
    changed.clear()
    forgotten.clear()
    try {
      for (let from = 0; from < ids.length; from += chunkSize) {
        await store.save(ids.slice(from, from + chunkSize).map(id => entries.get(id)).filter((entry): entry is ReplicaEntry => entry !== undefined))
      }
      await store.forget(gone)
      failedAt = 0
    } catch (err) {
      failedAt = Date.now()
      for (const id of ids) changed.add(id)
      for (const id of gone) forgotten.add(id)
      logger.warn({ err, waiting: changed.size }, 'copy not stored, trying again')
    }
  }

  function flush (): Promise<void> {
    writing = writing.then(write)
    return writing
  }

  return {
    save (ids: string[]): void {
      for (const id of ids) {
        changed.add(id)
        forgotten.delete(id)
      }
    },
    forget (ids: string[]): void {
      for (const id of ids) forgotten.add(id)
    },
    flush,
    /** Tries again what failed, now and then. */
    flushSoon (): void {
      if (changed.size + forgotten.size > 0 && Date.now() - failedAt > retryAfterMs) flush().catch(() => {})
    },
  }
}
