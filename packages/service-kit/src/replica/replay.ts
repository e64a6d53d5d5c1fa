import type { ReplicaEntries } from './entries.ts'

export type ReplicaRecord =
  | { kind: 'data', id: string, type: string, version: number, data: object }
  | { kind: 'tombstone', id: string }

export interface Watermark {
  partition: number
  low: string
  high: string
}

/**
 * One reading of a compacted topic, from its beginning and then on. Pure but for the entries it changes.
 *
 * While replaying, tombstones only count as the last word on an entity: an old one must not delete what was created
 * again after it. Once caught up, whatever the topic did not end up holding is dropped: its tombstone may long be
 * compacted away. A topic that holds nothing at all drops nothing: more likely Kafka was wiped than everybody left.
 */
export function createReplay (entries: ReplicaEntries, watermarks: Watermark[]) {
  const targets = new Map(watermarks.filter(({ low, high }) => BigInt(low) < BigInt(high)).map(({ partition, high }) => [partition, BigInt(high)]))
  const positions = new Map<number, bigint>()
  const lastSeen = new Map<string, ReplicaRecord['kind']>()
  let isCurrent = false

  /** Ids whose entries changed, to be saved. */
  function receive (partition: number, offset: string, record: ReplicaRecord | undefined): string[] {
    const position = BigInt(offset)
    // After a rebalance the reading begins again; this part we know.
    if (position < (positions.get(partition) ?? 0n)) return []
    positions.set(partition, position + 1n)
    if (record === undefined) return []
    lastSeen.set(record.id, record.kind)
    if (record.kind === 'data') return entries.apply({ type: record.type, id: record.id, version: record.version, data: record.data }) ? [record.id] : []
    return isCurrent && entries.remove(record.id) !== undefined ? [record.id] : []
  }

  /** To be called after each batch. When it has just caught up: what was deleted and what is to be forgotten. */
  function settle (): { deleted: string[], forgotten: string[] } | undefined {
    if (isCurrent) return undefined
    for (const [partition, target] of targets) {
      if ((positions.get(partition) ?? 0n) < target) return undefined
    }
    isCurrent = true
    if (lastSeen.size === 0) return { deleted: [], forgotten: [] }
    const ids = Array.from(entries.all(), ({ id }) => id)
    const deleted = ids.filter(id => lastSeen.get(id) === 'tombstone' && entries.remove(id) !== undefined)
    const forgotten = ids.filter(id => !lastSeen.has(id))
    for (const id of forgotten) entries.forget(id)
    return { deleted, forgotten }
  }

  return {
    receive,
    settle,
    get isCurrent (): boolean {
      return isCurrent
    },
    get hasSeenNothing (): boolean {
      return lastSeen.size === 0
    },
  }
}

export type Replay = ReturnType<typeof createReplay>
