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

export interface Validators { etag: string, modifiedAt: Date | null }
export type Preconditions = { [Name in 'if-match' | 'if-none-match' | 'if-modified-since' | 'if-unmodified-since']?: string | undefined }

/**
 * What RFC 9110 (13.2.2) makes of the conditions of a GET or HEAD, in its order: a date counts only where no tag is given, and one
 * that can't be read does not count.
 */
export function evaluate (conditions: Preconditions, { etag, modifiedAt }: Validators): 'send' | 'not-modified' | 'failed' {
  const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = conditions
  // Dates of HTTP are whole seconds.
  const modifiedMs = modifiedAt === null ? NaN : Math.floor(modifiedAt.getTime() / 1000) * 1000
  if (ifMatch !== undefined) {
    if (!isStrongMatch(ifMatch, etag)) return 'failed'
  } else if (modifiedMs > httpDateMs(conditions['if-unmodified-since'])) return 'failed'
  if (ifNoneMatch !== undefined) return isMatch(ifNoneMatch, etag) ? 'not-modified' : 'send'
  return modifiedMs <= httpDateMs(conditions['if-modified-since']) ? 'not-modified' : 'send'
}

const httpDate = /^(?:[A-Z][a-z]+, .+ GMT|[A-Z][a-z]{2} [A-Z][a-z]{2} .+ \d{4})$/

/** NaN, with which every comparison is false, for what is no date of HTTP. */
function httpDateMs (header: string | undefined): number {
  const text = header?.trim() ?? ''
  return httpDate.test(text) ? Date.parse(text.endsWith('GMT') ? text : `${text} GMT`) : NaN
}

const isStrongMatch = (header: string, etag: string): boolean => header.trim() === '*' || header.split(',').some(candidate => candidate.trim() === etag)

/** Whether a range of this entity is wanted; of another one the caller wants everything. A date is never ours: we go by the digest. */
export const allowsRange = (ifRange: string | undefined, etag: string): boolean => ifRange === undefined || ifRange.trim() === etag
