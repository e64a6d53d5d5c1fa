import { z } from 'zod'

/** Every error that a caller can see: stable code → HTTP status and title (RFC 9457). */
export const problems = {
  'invalid-request': { status: 400, title: 'The request is not valid' },
  'import-refused': { status: 400, title: 'Some lines can not be imported; nothing was' },
  'malformed-json': { status: 400, title: 'The body is not valid JSON' },
  'not-yours': { status: 400, title: 'That does not belong to this company' },
  unauthenticated: { status: 401, title: 'A valid token is needed' },
  forbidden: { status: 403, title: 'This token may not do that' },
  'pause-denied': { status: 403, title: 'Stopping and starting the recording is not allowed here' },
  'internal-peer-denied': { status: 403, title: 'Not allowed on this internal call' },
  'link-invalid': { status: 403, title: 'This link is not valid, or no longer' },
  'not-found': { status: 404, title: 'There is no such thing' },
  'call-not-found': { status: 404, title: 'There is no such call' },
  'recording-not-found': { status: 404, title: 'There is no such recording' },
  'job-not-found': { status: 404, title: 'There is no such job, or it is done' },
  'no-live-call': { status: 404, title: 'This agent is in no call' },
  'call-ended': { status: 409, title: 'The call has ended' },
  'recording-ended': { status: 409, title: 'The recording of this call has ended' },
  'call-not-answered': { status: 409, title: 'The call is not answered yet' },
  'still-paused': { status: 409, title: 'Something else keeps the recording paused' },
  'superseded-by-pause': { status: 409, title: 'A pause came in before the recording could resume' },
  'toggle-refused': { status: 409, title: 'A toggle may not lift a pause now' },
  'ambiguous-call': { status: 409, title: 'This agent is in several calls; name one' },
  'already-exists': { status: 409, title: 'That exists already' },
  'in-use': { status: 409, title: 'Something still uses it' },
  'precondition-failed': { status: 412, title: 'It has changed since you read it' },
  'idempotency-key-reused': { status: 422, title: 'This Idempotency-Key was used for another request' },
  'legal-hold': { status: 409, title: 'A legal hold keeps it' },
  'recording-deleted': { status: 410, title: 'This recording was deleted' },
  'nothing-to-purge': { status: 409, title: 'There is nothing of that in the recording' },
  'job-not-parked': { status: 409, title: 'This job is not parked' },
  'already-on-hold': { status: 409, title: 'It is on hold already' },
  'not-on-hold': { status: 409, title: 'There is no hold to lift' },
  'links-disabled': { status: 409, title: 'Links are not configured here' },
  'not-ready': { status: 409, title: 'It is not ready yet' },
  'range-not-satisfiable': { status: 416, title: 'That range is outside the file' },
  'payload-too-large': { status: 413, title: 'The request is too large' },
  'unsupported-media-type': { status: 415, title: 'That media type is not understood' },
  'rate-limited': { status: 429, title: 'Too many requests' },
  'internal-error': { status: 500, title: 'Something went wrong here' },
  'pause-unconfirmed': { status: 503, title: 'The recorder could not be proven to have stopped' },
  'recorder-failed': { status: 503, title: 'The recorder did not start' },
  /** ffmpeg is not installed beside recording-assembly, or lacks an encoder. */
  'encoder-missing': { status: 503, title: 'Other formats than WAV can not be made here' },
  'encoding-failed': { status: 500, title: 'The recording could not be made in this format' },
  'measuring-failed': { status: 500, title: 'The recording could not be measured' },
  'storage-unavailable': { status: 503, title: 'The database can not be reached' },
  'pbx-unavailable': { status: 503, title: 'The PBX can not be reached' },
  standby: { status: 503, title: 'Another instance is active' },
  overloaded: { status: 503, title: 'Too busy' },
} as const satisfies Record<string, { status: number, title: string }>

export type ProblemCode = keyof typeof problems

/** The body of every error, `application/problem+json`. https://www.rfc-editor.org/rfc/rfc9457 */
export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.string(),
  detail: z.string().optional(),
  correlationId: z.string().optional(),
  /** For `invalid-request`: which fields, as JSON paths. */
  errors: z.array(z.object({
    field: z.string(),
    message: z.string(),
    /** In a CSV. */
    line: z.int().optional(),
    code: z.string().optional(),
  })).optional(),
  /** For refusals by the rules: the level that decided. */
  decidedBy: z.string().optional(),
  /** For `still-paused`. */
  reasons: z.array(z.string()).optional(),
}).meta({ id: 'Problem' })
export type ProblemBody = z.infer<typeof problemSchema>

export interface Problem extends Error {
  readonly code: ProblemCode
  readonly status: number
  readonly extra: Partial<Pick<ProblemBody, 'errors' | 'decidedBy' | 'reasons'>> & { retryAfterSeconds?: number }
}

const brand = Symbol.for('tacet.problem')

/** An error for the caller: `throw problem('call-ended', 'hung up at …')`. */
export function problem (code: ProblemCode, detail?: string, extra: Problem['extra'] = {}, cause?: unknown): Problem {
  const error = new Error(detail ?? problems[code].title, cause === undefined ? {} : { cause })
  return Object.assign(error, { name: 'Problem', [brand]: true, code, status: problems[code].status, extra }) as Problem
}

export const isProblem = (error: unknown): error is Problem =>
  typeof error === 'object' && error !== null && brand in error

/** The body for a problem; `detail` is left out where it only repeats the title. */
export function problemBody (error: Problem, correlationId?: string): ProblemBody {
  const { title, status } = problems[error.code]
  const { retryAfterSeconds: _, ...extra } = error.extra
  return {
    type: `urn:tacet:problem:${error.code}`,
    title,
    status,
    code: error.code,
    ...(error.message === title ? {} : { detail: error.message }),
    ...(correlationId === undefined ? {} : { correlationId }),
    ...extra,
  }
}
