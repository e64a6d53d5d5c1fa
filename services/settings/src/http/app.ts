import { problem } from '@tacet/contracts'
import { createHttpApp, handleError, isTransientDatabaseError, type HttpApp, type Logger, type Metrics } from '@tacet/service-kit'
import type { Store } from '../usecases/ports.ts'
import type { UseCases } from '../usecases/index.ts'
import { createKnownCallers, requireCaller } from './authentication.ts'
import { agentRoutes } from './routes/agents.ts'
import { companyRoutes } from './routes/companies.ts'
import { credentialRoutes } from './routes/credentials.ts'
import { endpointRoutes } from './routes/endpoints.ts'
import { numberRoutes } from './routes/numbers.ts'
import { operationRoutes } from './routes/operations.ts'
import { policyRoutes } from './routes/policy.ts'

export interface AppDependencies {
  useCases: UseCases
  /** Only read here; what writes is a use case. */
  store: Store
  newId: () => string
}

export interface AppOptions extends AppDependencies {
  logger: Logger
  metrics?: Metrics
  rateLimitPerMinute?: number
}

export async function createSettingsApp ({ logger, metrics, rateLimitPerMinute, ...deps }: AppOptions): Promise<HttpApp> {
  const knownCallers = createKnownCallers()
  const app = await createHttpApp({
    name: 'settings',
    version: '1.0.0',
    description: 'Companies, numbers, agents, who is recorded and who may stop it, and the credentials of those who ask.',
    logger,
    ...(metrics && { metrics }),
    ...(rateLimitPerMinute !== undefined && { rateLimit: { max: rateLimitPerMinute, keyOf: request => knownCallers.keyOf(request) } }),
  })
  await app.register(async (v1: HttpApp) => {
    v1.setErrorHandler((error, request, reply) => handleError(nameOutage(error), request, reply))
    v1.addContentTypeParser('application/merge-patch+json', { parseAs: 'string' }, v1.getDefaultJsonParser('error', 'error'))
    requireCaller(v1, deps.useCases.authenticate, knownCallers)
    for (const routes of [companyRoutes, numberRoutes, agentRoutes, endpointRoutes, credentialRoutes, policyRoutes, operationRoutes]) routes(v1, deps)
  }, { prefix: '/v1' })
  return app
}

/** The database is all that a request here needs: when that is away, say so. */
const nameOutage = (error: unknown): unknown =>
  isTransientDatabaseError(error) ? problem('storage-unavailable', undefined, { retryAfterSeconds: 2 }, error) : error
