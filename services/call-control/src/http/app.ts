import { createHttpApp, type Authenticator, type HttpApp, type Logger, type Metrics } from '@tacet/service-kit'
import type { Commands } from '../usecases/command-recording.ts'
import type { PbxWatch } from '../watch.ts'
import { callRoutes } from './call-routes.ts'
import { phoneRoutes } from './phone-routes.ts'

export interface AppDependencies {
  commands: Commands
  authenticator: Authenticator
  /** Throws `standby` or `pbx-unavailable`. */
  watch: () => PbxWatch
  clock: () => number
}

export interface AppOptions extends AppDependencies {
  logger: Logger
  metrics?: Metrics
  rateLimitPerMinute?: number
}

export async function createCallControlApp ({ logger, metrics, rateLimitPerMinute, ...deps }: AppOptions): Promise<HttpApp> {
  const app = await createHttpApp({
    name: 'call-control',
    version: '1.0.0',
    description: 'Live calls, and the stopping and starting of their recordings.',
    logger,
    ...(metrics && { metrics }),
    ...(rateLimitPerMinute !== undefined && { rateLimit: { max: rateLimitPerMinute, keyOf: request => request.headers.authorization } }),
  })
  await app.register(async (scope: HttpApp) => callRoutes(scope, deps), { prefix: '/v1' })
  await app.register(async (scope: HttpApp) => phoneRoutes(scope, deps), { prefix: '/phone/v1' })
  return app
}
