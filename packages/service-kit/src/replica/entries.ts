/** One entity as last heard of; `data` is null once it is deleted. */
export interface ReplicaEntry {
  type: string
  id: string
  version: number
  data: object | null
}

export interface ReplicaChange {
  type: string
  id: string
  /** undefined: the entity is gone. */
  value: object | undefined
  previous: object | undefined
}

export type ReplicaEntries = ReturnType<typeof createEntries>

/** The copy in memory: an older or repeated version never replaces what is there. */
export function createEntries () {
  const byId = new Map<string, ReplicaEntry>()
  const listeners = new Set<(change: ReplicaChange) => void>()

  function put (entry: ReplicaEntry): void {
    const previous = byId.get(entry.id)?.data ?? undefined
    byId.set(entry.id, entry)
    if (previous === undefined && entry.data === null) return
    for (const listener of listeners) listener({ type: entry.type, id: entry.id, value: entry.data ?? undefined, previous })
  }

  return {
    /** True when it was news. */
    apply (entry: ReplicaEntry): boolean {
      const known = byId.get(entry.id)
      if (known !== undefined && entry.version <= known.version) return false
      put(entry)
      return true
    },
    /** The deleted entity as it is remembered, or undefined when there was nothing to delete. */
    remove (id: string): ReplicaEntry | undefined {
      const known = byId.get(id)
      if (known === undefined || known.data === null) return undefined
      const deleted = { ...known, data: null }
      put(deleted)
      return deleted
    },
    /** As `remove`, without remembering that it was there. */
    forget (id: string): void {
      this.remove(id)
      byId.delete(id)
    },
    get: (id: string): ReplicaEntry | undefined => byId.get(id),
    all: (): IterableIterator<ReplicaEntry> => byId.values(),
    get size (): number {
      return byId.size
    },
    onChange (listener: (change: ReplicaChange) => void): () => void {
      listeners.add(listener)
      return () => { listeners.delete(listener) }
    },
  }
}
