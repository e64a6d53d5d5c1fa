import { problemSchema } from '@tacet/contracts'
import { Failure } from './failure.ts'

export interface ApiRequest {
  method?: string
  body?: unknown
  headers?: Record<string, string>
}

export interface Api {
  /** The body: parsed JSON, or the text of anything else. Rejects with a Failure that says what the service said. */
  call (path: string, request?: ApiRequest): Promise<unknown>
  /** Every item of a list, page by page. */
  list (path: string): Promise<Record<string, unknown>[]>
}

const timeoutMs = 15_000

export function createApi (name: string, url: string | undefined, variable: string, token: string | undefined): Api {
  async function call (path: string, { method, body, headers }: ApiRequest = {}): Promise<unknown> {
    if (url === undefined) throw new Failure(`Where is ${name}? Set ${variable}, or TACET_STACK to the address book of a running stack.`)
    if (token === undefined) throw new Failure('Who are you? Set TACET_TOKEN to your API key.')
    const response = await fetch(new URL(path, url), {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      signal: AbortSignal.timeout(timeoutMs),
    }).catch((error: Error) => { throw new Failure(`${name} does not answer at ${url} (${causeOf(error)})`) })
    const text = await response.text()
    const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '')
    if (!response.ok) throw new Failure(describeProblem(response.status, isJson ? JSON.parse(text) : undefined))
    return text === '' ? undefined : isJson ? JSON.parse(text) : text
  }

  return {
    call,
    async list (path) {
      const all: Record<string, unknown>[] = []
      for (let cursor: string | null | undefined; cursor !== null;) {
        const query = cursor === undefined ? '' : `${path.includes('?') ? '&' : '?'}cursor=${encodeURIComponent(cursor)}`
        const page = await call(path + query) as { items: Record<string, unknown>[], nextCursor?: string | null }
        all.push(...page.items)
        cursor = page.nextCursor ?? null
      }
      return all
    },
  }
}

function causeOf (error: Error): string {
  return error.cause instanceof Error && error.cause.message !== '' ? error.cause.message : error.message
}

function describeProblem (status: number, body: unknown): string {
  const problem = problemSchema.safeParse(body)
  if (!problem.success) return `The service answered ${status}`
  const { code, title, detail, errors = [], decidedBy } = problem.data
  const lines = errors.map(({ line, field, message }) => `  ${line === undefined ? '' : `line ${line}, `}${field}: ${message}`)
  return [`${title} (${status} ${code}${decidedBy === undefined ? '' : `, decided by the ${decidedBy}`})${detail === undefined || lines.length > 0 ? '' : `: ${detail}`}`, ...lines].join('\n')
}
