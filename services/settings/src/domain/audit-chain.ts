import { createHash } from 'node:crypto'

/** The hash before the first entry of a chain. */
export const genesisHash = '0'.repeat(64)

/** JSON with its members in order and without spaces: the same value has the same text, however it was built. */
export function canonicalJson (value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(item => canonicalJson(item ?? null)).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value).filter(([, member]) => member !== undefined).toSorted(([one], [other]) => one < other ? -1 : 1)
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`).join(',')}}`
}

export interface Link {
  chain: string
  seq: number
  previousHash: string
  /** Canonical JSON. */
  entry: string
}

/** Each entry's hash covers its place, the entry and the hash before it. */
export const hashOf = ({ chain, seq, previousHash, entry }: Link): string =>
  createHash('sha256').update([chain, seq, previousHash, entry].join('\n')).digest('hex')

export interface StoredLink extends Link {
  auditId: string
  hash: string
  /** What the columns beside the entry say that it says. */
  shown: Record<string, unknown>
}

export interface ChainHead {
  length: number
  hash: string
}

export type Tampering = 'missing' | 'previous-hash' | 'hash' | 'columns' | 'truncated'

/** Walks a chain from its first entry. Feed it every entry in order, then ask whether it ends where it should. */
export function createVerifier (columnsOf: (entry: string) => Record<string, unknown>) {
  let expected = { seq: 1, hash: genesisHash }

  return {
    /** What is wrong with this entry, if anything; after that the walk is over. */
    check (link: StoredLink): Tampering | null {
      if (link.seq !== expected.seq) return 'missing'
      if (link.previousHash !== expected.hash) return 'previous-hash'
      if (link.hash !== hashOf(link)) return 'hash'
      if (canonicalJson(link.shown) !== canonicalJson(columnsOf(link.entry))) return 'columns'
      expected = { seq: link.seq + 1, hash: link.hash }
      return null
    },
    /** Whether the chain ends where its head says. */
    end: ({ length, hash }: ChainHead): Tampering | null => expected.seq - 1 === length && expected.hash === hash ? null : 'truncated',
    get checked (): number {
      return expected.seq - 1
    },
  }
}
