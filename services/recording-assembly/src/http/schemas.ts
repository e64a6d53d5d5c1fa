import { idSchema, problems, problemSchema, type ProblemCode } from '@tacet/contracts'
import { z } from 'zod'
import { mediaTypes } from './audio.ts'

/** PostgreSQL writes UUIDs in lower case, and so do our paths. */
export const recordingParams = z.object({ recordingId: idSchema.toLowerCase() })

const common: ProblemCode[] = ['invalid-request', 'unauthenticated', 'rate-limited', 'storage-unavailable']

/** The errors of a route, for its description: by status, with the codes that may come. */
export function errors (...codes: ProblemCode[]) {
  const byStatus = Map.groupBy([...common, ...codes], code => problems[code].status)
  return Object.fromEntries(Array.from(byStatus, ([status, codesOfStatus]) => [status, {
    description: codesOfStatus.join(', '),
    content: { 'application/problem+json': { schema: problemSchema } },
  }]))
}

export const described = (summary: string) => ({ summary, tags: ['recordings'], security: [{ bearer: [] }] })

export const audioContent = (description: string) => ({ description, content: Object.fromEntries(Object.values(mediaTypes).map(type => [type, { schema: z.string().meta({ format: 'binary' }) }])) })
