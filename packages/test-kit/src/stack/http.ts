import { createServer } from 'node:net'
import { once } from 'node:events'
import { problemSchema } from '@tacet/contracts'
import type { ProblemBody } from '@tacet/contracts'

export interface HttpAnswer {
  status: number
  headers: Headers
  /** Parsed when it is JSON, else the text; undefined when empty. */
  body: any
  /** The problem details of an error; throws when the answer is none. */
  problem: () => ProblemBody
}

export interface HttpRequest {
  method?: string
  token?: string
  headers?: Record<string, string>
  /** Sent as JSON; a string is sent as it is, so that broken JSON can be sent too. */
  body?: unknown
  timeoutMs?: number
}

export type HttpClient = (path: string, request?: HttpRequest) => Promise<HttpAnswer>

/** Calls a JSON service; answers of any status resolve, only a missing answer rejects. */
export function createHttpClient (baseUrl: string, defaults: HttpRequest = {}): HttpClient {
  return async (path, request = {}) => {
    const { method, token, headers, body, timeoutMs = 10_000 } = { ...defaults, ...request, headers: { ...defaults.headers, ...request.headers } }
    const response = await fetch(new URL(path, baseUrl), {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      signal: AbortSignal.timeout(timeoutMs),
    })
    const text = await response.text()
    const contentType = response.headers.get('content-type') ?? ''
    return {
      status: response.status,
      headers: response.headers,
      body: text === '' ? undefined : /\bjson\b/.test(contentType) ? JSON.parse(text) : text,
      problem () {
        if (!contentType.startsWith('application/problem+json')) throw new Error(`${response.status} ${contentType} is no problem+json: ${text}`)
        return problemSchema.parse(JSON.parse(text))
      },
    }
  }
}

/** A port of the loopback that was free a moment ago. */
export async function freePort (): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const closed = once(server, 'close')
  server.close()
  await closed
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
