import type { Readable } from 'node:stream'
import { Pool } from 'undici'
import { AriError, isAriError } from './errors.ts'
import type { AriErrorKind } from './errors.ts'

export type AriAddress = { url: string, username: string, password: string }

/** How long an operation took and what came of it. Label values are bounded: safe for metrics. */
export type AriLatency = { operation: string, ms: number, outcome: 'ok' | AriErrorKind }

export type CallOptions = { deadlineMs?: number, signal?: AbortSignal }

export type AriRequest = CallOptions & {
  operation: string
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  path: string
  query?: Record<string, string | number | undefined>
  body?: object
  /** False for what must not happen twice. */
  isRepeatable?: boolean
}

type Answer = { status: number, headers: Record<string, string | string[] | undefined>, body: Readable & { text(): Promise<string> } }

const DEFAULT_DEADLINE_MS = 2000
// Asterisk's listen backlog is 10, and it closes idle connections after 15 s.
const POOL = { connections: 8, pipelining: 1, keepAliveTimeout: 10_000, keepAliveMaxTimeout: 13_000, connectTimeout: 2000 }
const LOST_CONNECTION = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'])

/** A small pool of kept-alive connections to ARI; every request has a deadline. */
export function createTransport ({ url, username, password, onLatency }: AriAddress & { onLatency?: ((latency: AriLatency) => void) | undefined }) {
  const { origin, pathname } = new URL(url)
  const pool = new Pool(origin, POOL)
  const base = `${pathname.replace(/\/$/, '')}/ari`
  const headers = { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` }

  async function once (request: AriRequest, signal: AbortSignal): Promise<Answer> {
    const answer = await pool.request({
      method: request.method,
      path: base + request.path + toQuery(request.query),
      headers: request.body ? { ...headers, 'content-type': 'application/json' } : headers,
      body: request.body ? JSON.stringify(request.body) : null,
      signal,
      headersTimeout: 0,
      bodyTimeout: 30_000,
    })
    const { statusCode: status, body } = answer
    if (status < 400) return { status, headers: answer.headers, body }
    const message = toMessage(await body.text())
    throw new AriError(toKind(status, message), { operation: request.operation, status, message: message ?? 'no ARI answer' })
  }

  /** Asterisk may have run a request whose connection died; all ids are chosen by us, so it can simply be sent again. */
  async function repeated (request: AriRequest, signal: AbortSignal): Promise<Answer> {
    try {
      return await once(request, signal)
    } catch (error) {
      if (request.isRepeatable === false || !LOST_CONNECTION.has(codeOf(error)) || signal.aborted) throw error
      return await once(request, signal)
    }
  }

  async function withDeadline<T> (request: AriRequest, read: (answer: Answer) => Promise<T>): Promise<T> {
    const startedAt = performance.now()
    const report = (outcome: AriLatency['outcome']) => {
      // A metric that can't be taken must not fail the operation.
      try { onLatency?.({ operation: request.operation, ms: performance.now() - startedAt, outcome }) } catch {}
    }
    const deadline = new AbortController()
    const timer = setTimeout(() => deadline.abort(), Math.max(1, request.deadlineMs ?? DEFAULT_DEADLINE_MS))
    const signal = request.signal ? AbortSignal.any([request.signal, deadline.signal]) : deadline.signal
    try {
      const result = await read(await repeated(request, signal))
      report('ok')
      return result
    } catch (cause) {
      const error = isAriError(cause) ? cause : toAriError(request.operation, cause, deadline.signal.aborted)
      report(error.kind)
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  return {
    /** Sends it and reads the answer's JSON (undefined when it has none). Throws AriError. */
    json: (request: AriRequest): Promise<unknown> => withDeadline(request, async ({ body }) => {
      const text = await body.text()
      return text === '' ? undefined : JSON.parse(text)
    }),
    /** The deadline is for the head of the answer; the body may take as long as it flows. */
    stream: (request: AriRequest) => withDeadline(request, async (answer) => answer),
    close: () => pool.destroy(),
  }
}

export type Transport = ReturnType<typeof createTransport>

const toAriError = (operation: string, cause: unknown, isLate: boolean): AriError => isLate
  ? new AriError('timeout', { operation, message: 'no answer in time', cause })
  : new AriError('unavailable', { operation, message: describe(cause), cause })

function toKind (status: number, message: string | undefined): AriErrorKind {
  // Without the modules that serve it (booting, unloading) Asterisk answers 404 for everything: that proves nothing.
  if (status === 404) return message === undefined || message === 'Resource not found' ? 'unavailable' : 'not-found'
  if (status === 409 || status === 412) return 'conflict'
  return status >= 500 ? 'unavailable' : 'refused'
}

function toMessage (text: string): string | undefined {
  try {
    const { message, error } = JSON.parse(text)
    return message ?? error
  } catch {
    return undefined
  }
}

function toQuery (query: AriRequest['query'] = {}): string {
  const given = Object.entries(query).flatMap(([name, value]) => value === undefined ? [] : [[name, String(value)] as [string, string]])
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`
}

function codeOf (error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : ''
}

const describe = (error: unknown): string => codeOf(error) || (error instanceof Error ? error.message : String(error))
