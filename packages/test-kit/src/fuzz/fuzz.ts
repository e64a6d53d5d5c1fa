import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { problems, problemSchema } from '@tacet/contracts'
import { operationsOf, requestsFor, type FuzzRequest, type OpenApiDocument, type Surroundings } from './requests.ts'

export interface FuzzAnswer { status: number, contentType: string, text: string }

export interface FuzzTarget {
  document: object
  send: (request: FuzzRequest) => Promise<FuzzAnswer>
  /** Called now and then: puts back what the requests before may have deleted, and says who may ask and what is there. */
  prepare: () => Promise<Surroundings>
}

export interface FuzzReport {
  /** What must not be: no answer, a 5xx, an error that is no problem details, a status that the document does not know. */
  findings: string[]
  byStatus: Record<number, number>
  /** Operations that answered 2xx at least once: how deep the requests went. */
  succeeded: string[]
  operations: string[]
}

const requestsPerRound = 60
const findingsAtMost = 20

/** Sends requests made from an OpenAPI document, the same ones for the same seed. */
export async function fuzz ({ document, send, prepare }: FuzzTarget, { seed, requests }: { seed: number, requests: number }): Promise<FuzzReport> {
  const openApi = document as OpenApiDocument
  const operations = new Map(operationsOf(openApi).map(({ name, operation }) => [name, operation]))
  const succeeded = new Set<string>()
  const report: FuzzReport = { findings: [], byStatus: {}, succeeded: [], operations: [...operations.keys()] }
  for (let sent = 0; sent < requests && report.findings.length < findingsAtMost; sent += requestsPerRound) {
    const numRuns = Math.min(requestsPerRound, requests - sent)
    for (const request of fc.sample(requestsFor(openApi, await prepare()), { seed: seed + sent, numRuns })) {
      const answer = await send(request).catch((error: Error) => error)
      if (answer instanceof Error) {
        report.findings.push(`no answer (${answer.message}): ${describe(request)}`)
        continue
      }
      report.byStatus[answer.status] = (report.byStatus[answer.status] ?? 0) + 1
      if (answer.status < 300) succeeded.add(request.operation)
      const fault = faultOf(answer, Object.keys(operations.get(request.operation)?.responses ?? {}))
      if (fault !== undefined) report.findings.push(`${fault}: ${describe(request)} → ${answer.status} ${answer.text.slice(0, 300)}`)
    }
  }
  report.succeeded = [...succeeded].sort()
  return report
}

function faultOf ({ status, contentType, text }: FuzzAnswer, documented: string[]): string | undefined {
  if (status >= 500) return 'a 5xx'
  if (status < 400) return documented.includes(String(status)) ? undefined : 'a status that is not documented'
  if (!contentType.startsWith('application/problem+json')) return 'an error that is no problem'
  const problem = problemSchema.safeParse(parse(text))
  if (!problem.success) return 'a problem of another shape'
  const { code, title } = problem.data
  const known = Object.hasOwn(problems, code) ? problems[code as keyof typeof problems] : undefined
  if (!isDeepStrictEqual(known, { status, title })) return 'a problem that is not declared'
  // Errors of HTTP itself may come from any route.
  return documented.includes(String(status)) || [404, 413, 415].includes(status) ? undefined : 'an error that is not documented'
}

function parse (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const describe = ({ method, path, headers, body }: FuzzRequest): string =>
  `${method} ${path} ${JSON.stringify(headers)}${body === undefined ? '' : ` ${body.slice(0, 400)}`}`
