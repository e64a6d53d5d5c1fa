/** Bytes `start` to `end`, both included. */
export interface ByteRange { start: number, end: number }

/**
 * The one range that a `Range` header asks for. Null: answer with everything, as RFC 9110 says for other units, for what it
 * can't read, and as it allows for several ranges.
 */
export function parseRange (header: string | undefined, sizeBytes: number): ByteRange | 'unsatisfiable' | null {
  const [, first = '', last = ''] = /^bytes=[\t ]*(\d*)-(\d*)[\t ]*$/i.exec(header ?? '') ?? []
  if (first === '' && last === '') return null
  if (first === '') {
    const length = Math.min(Number(last), sizeBytes)
    return length === 0 ? 'unsatisfiable' : { start: sizeBytes - length, end: sizeBytes - 1 }
  }
  const start = Number(first)
  if (last !== '' && Number(last) < start) return null
  if (start >= sizeBytes) return 'unsatisfiable'
  return { start, end: last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1) }
}

/** Whether `If-None-Match` names the entity: then the caller has it already. */
export function isMatch (header: string | undefined, etag: string): boolean {
  if (header === undefined) return false
  if (header.trim() === '*') return true
  return header.split(',').some(candidate => candidate.trim().replace(/^W\//, '') === etag)
}

/** Whether a range of this entity is wanted; of another one the caller wants everything. A date is never ours: we go by the digest. */
export const allowsRange = (ifRange: string | undefined, etag: string): boolean => ifRange === undefined || ifRange.trim() === etag
