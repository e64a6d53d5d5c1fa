import { createRequire } from 'node:module'

type HttpRequest = {
  url: string
  headers: Record<string, string>
  on: { response (answer: { obj: unknown }): void, error (answer: { status: number, statusText: string }): void }
}
type Swagger = {
  SwaggerApi: { prototype: { fail (this: { failure (error: Error): void }, message: string): void } }
  ShredHttpClient: { prototype: { execute (request: HttpRequest): void } }
}

/**
 * swagger-client 2.0.26, by which ari-client 2.2.0 reads ARI's API description, throws strings from its socket handlers
 * when an answer is not a 200 or not JSON, never gives up on a silent server, and prints a warning at each connect.
 * Here it loads by `fetch` with a deadline, and every failure becomes a rejected `connect()`.
 */
export function guardAriClient (loadTimeoutMs: number): void {
  const require = createRequire(import.meta.url)
  const swagger: Swagger = createRequire(require.resolve('ari-client'))('swagger-client')

  swagger.SwaggerApi.prototype.fail = function (message) {
    this.failure(new Error(message))
  }

  swagger.ShredHttpClient.prototype.execute = ({ url, headers, on }) => {
    load(url, headers, loadTimeoutMs)
      .then((obj) => on.response({ obj }))
      .catch((error: unknown) => on.error({ status: 1, statusText: String(error) }))
  }
}

async function load (url: string, headers: Record<string, string>, timeoutMs: number): Promise<unknown> {
  const answer = await fetch(url, { headers, signal: AbortSignal.timeout(timeoutMs) })
  if (!answer.ok) throw new Error(`status ${answer.status}`)
  const description = await answer.json() as { swaggerVersion?: string, operations?: unknown }
  // 1.2 reads the same way as ARI's 1.1, without the warning.
  return { ...description, swaggerVersion: '1.2' }
}
