import { endpointNameSchema, idSchema, problems, problemSchema, type ProblemCode } from '@tacet/contracts'
import { z } from 'zod'

/** PostgreSQL writes UUIDs in lower case; so do we, or one id would have two spellings. */
const pathIdSchema = idSchema.toLowerCase()

export const companyParams = z.object({ companyId: pathIdSchema })
export const numberParams = companyParams.extend({ numberId: pathIdSchema })
export const agentParams = companyParams.extend({ agentId: pathIdSchema })
export const credentialParams = companyParams.extend({ credentialId: pathIdSchema })

export const endpointParams = z.object({ endpoint: endpointNameSchema })

/** `If-Match` on a change, `If-None-Match` on a GET or a creation. */
export const conditionalHeaders = z.object({ 'if-match': z.string().max(1_000).optional(), 'if-none-match': z.string().max(1_000).optional() })

export const noContent = z.null().describe('Nothing')

const common: ProblemCode[] = ['invalid-request', 'unauthenticated', 'forbidden', 'rate-limited', 'storage-unavailable']

/** The errors of a route, for its description: by status, with the codes that may come. */
export function errors (...codes: ProblemCode[]) {
  const byStatus = Map.groupBy([...common, ...codes], code => problems[code].status)
  return Object.fromEntries(Array.from(byStatus, ([status, codesOfStatus]) => [status, {
    description: codesOfStatus.join(', '),
    content: { 'application/problem+json': { schema: problemSchema } },
  }]))
}

export const described = (summary: string, tag: string) => ({ summary, tags: [tag], security: [{ bearer: [] }] })
