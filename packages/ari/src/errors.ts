export type AriErrorKind = 'not-found' | 'conflict' | 'unavailable' | 'timeout' | 'refused'

type Details = { operation: string, message?: string, status?: number, cause?: unknown }

/**
 * What an ARI operation can come to.
 * `not-found`: Asterisk says that the thing does not exist. `conflict`: it exists, in a state that forbids the operation.
 * `unavailable`: Asterisk could not be asked, or failed (5xx). `timeout`: no answer in time, so it may have run.
 * `refused`: the request itself is wrong (400, 401, 403 …).
 */
export class AriError extends Error {
  override readonly name = 'AriError'
  readonly code = 'ARI_ERROR'
  readonly kind: AriErrorKind
  readonly operation: string
  readonly status: number | undefined

  constructor (kind: AriErrorKind, { operation, message, status, cause }: Details) {
    super(`${operation}: ${message ?? kind}${status === undefined ? '' : ` (${status})`}`, { cause })
    this.kind = kind
    this.operation = operation
    this.status = status
  }
}

/** Nobody could prove within the deadline that the recorder does not write: it may still be recording. Ask again. */
export class RecorderUnconfirmed extends Error {
  override readonly name = 'RecorderUnconfirmed'
  readonly code = 'RECORDER_UNCONFIRMED'
  readonly recorderId: string

  constructor (recorderId: string, { cause }: { cause?: unknown } = {}) {
    super(`no proof that recorder ${recorderId} has stopped`, { cause })
    this.recorderId = recorderId
  }
}

/** The start was pre-empted by a stop. The recorder is proven not to write. */
export class RecorderCancelled extends Error {
  override readonly name = 'RecorderCancelled'
  readonly code = 'RECORDER_CANCELLED'
  readonly recorderId: string

  constructor (recorderId: string) {
    super(`the start of recorder ${recorderId} was pre-empted`)
    this.recorderId = recorderId
  }
}

export const isAriError = (error: unknown, ...kinds: AriErrorKind[]): error is AriError =>
  error instanceof AriError && (kinds.length === 0 || kinds.includes(error.kind))
