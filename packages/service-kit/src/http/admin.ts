import { fastify, LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import { deadline } from '../deadline.ts'
import type { Logger } from '../logging.ts'
import type { Metrics } from '../metrics.ts'

/** The state of one thing the service needs; any further fields are shown as they are. */
export interface CheckResult {
  isOk: boolean
  [detail: string]: unknown
}

export type Check = () => CheckResult | Promise<CheckResult>

export interface AdminAppOptions {
  name: string
  version: string
  logger: Logger
  metrics: Metrics
  checks: Record<string, Check>
  checkTimeoutMs?: number
}

/**
 * The operator's listener: `/live` (the process answers), `/ready` (200 or 503 with every check by name), `/metrics`.
 * It has no authentication and belongs on an internal port.
 */
export function createAdminApp ({ name, version, logger, metrics, checks, checkTimeoutMs = 2_000 }: AdminAppOptions): FastifyInstance {
  const app = fastify({ loggerInstance: logger as FastifyBaseLogger, logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'correlationId' }), connectionTimeout: 30_000, requestTimeout: 10_000, forceCloseConnections: true })

  app.get('/live', async () => ({ status: 'ok', name, version }))

  app.get('/ready', async (_request, reply) => {
    const results = await Promise.all(Object.entries(checks).map(async ([check, run]) => [check, await runCheck(run, checkTimeoutMs)] as const))
    const isReady = results.every(([, result]) => result.isOk)
    return reply.code(isReady ? 200 : 503).send({ status: isReady ? 'ok' : 'unavailable', name, version, checks: Object.fromEntries(results) })
  })

  app.get('/metrics', async (_request, reply) => reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()))

  return app
}

async function runCheck (check: Check, timeoutMs: number): Promise<CheckResult> {
  try {
    return await deadline(Promise.resolve().then(check), timeoutMs, () => new Error(`no answer within ${timeoutMs} ms`))
  } catch (error) {
    return { isOk: false, error: error instanceof Error ? error.message : String(error) }
  }
}
