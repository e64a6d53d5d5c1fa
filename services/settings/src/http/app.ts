import { isProblem, problem } from '@tacet/contracts'
import type { FastifyRequest } from 'fastify'
import { createHttpApp, deviceOf, handleError, isTransientDatabaseError, type HttpApp, type Logger, type Metrics } from '@tacet/service-kit'
import type { AuditLog, Store } from '../usecases/ports.ts'
import type { UseCases } from '../usecases/index.ts'
import { createKnownCallers, requireCaller } from './authentication.ts'
import { agentRoutes } from './routes/agents.ts'
import { registerReference } from './reference.ts'
import { auditRoutes } from './routes/audit.ts'
import { companyRoutes } from './routes/companies.ts'
import { credentialRoutes } from './routes/credentials.ts'
import { csvRoutes } from './routes/csv.ts'
import { endpointRoutes } from './routes/endpoints.ts'
import { numberRoutes } from './routes/numbers.ts'
import { operationRoutes } from './routes/operations.ts'
import { identityProviderRoutes } from './routes/identity-provider.ts'
import { policyRoutes } from './routes/policy.ts'
import { publicRoutes, tokenRoutes } from './routes/tokens.ts'

export interface AppDependencies {
  useCases: UseCases
  /** Only read here; what writes is a use case. */
  store: Store
  auditLog: AuditLog
  newId: () => string
}

export interface AppOptions extends AppDependencies {
  logger: Logger
  metrics?: Metrics
  rateLimitPerMinute?: number
  trustProxy?: string[] | undefined
}

export async function createSettingsApp ({ logger, metrics, rateLimitPerMinute, trustProxy, ...deps }: AppOptions): Promise<HttpApp> {
  const knownCallers = createKnownCallers()
  const app = await createHttpApp({
    name: 'settings',
    version: '1.0.0',
    description: 'Companies, numbers, agents, who is recorded and who may stop it, and the credentials of those who ask.',
    logger,
    trustProxy,
    ...(metrics && { metrics }),
    ...(rateLimitPerMinute !== undefined && { rateLimit: { max: rateLimitPerMinute, keyOf: request => knownCallers.keyOf(request) } }),
  })
  await registerReference(app)
  await app.register(async (scope: HttpApp) => publicRoutes(scope, deps), { prefix: '/v1' })
  await app.register(async (v1: HttpApp) => {
    v1.setErrorHandler(async (error, request, reply) => {
      await auditRefusal(deps.useCases, error, request)
      return handleError(nameOutage(error), request, reply)
    })
    v1.addContentTypeParser('application/merge-patch+json', { parseAs: 'string' }, v1.getDefaultJsonParser('error', 'error'))
    requireCaller(v1, deps.useCases.authenticate, knownCallers)
    for (const routes of [companyRoutes, numberRoutes, agentRoutes, csvRoutes, endpointRoutes, credentialRoutes, identityProviderRoutes, tokenRoutes, policyRoutes, auditRoutes, operationRoutes]) routes(v1, deps)
  }, { prefix: '/v1' })
  return app
}

/** A refusal is in the audit log before it is answered. Without the database it is only in the log of the service. */
async function auditRefusal (useCases: UseCases, error: unknown, request: FastifyRequest): Promise<void> {
  if (!isProblem(error)) return
  if (request.caller === undefined && request.headers.authorization === undefined) return
  const { method, params, routeOptions: { url: route = '' } } = request
  const { code } = error
  const onFailure = (err: unknown) => request.log.warn({ err, code }, 'refusal not put into the audit log')
  await useCases.auditRefusal({ caller: request.caller, address: request.ip, device: deviceOf(request), code, request: { method, route, params }, onFailure })
}

/** The database is all that a request here needs: when that is away, say so. */
const nameOutage = (error: unknown): unknown =>
  isTransientDatabaseError(error) ? problem('storage-unavailable', undefined, { retryAfterSeconds: 2 }, error) : error
