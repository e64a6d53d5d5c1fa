import { createHttpApp, type Authenticator, type HttpApp, type Logger, type Metrics, type Principal } from '@tacet/service-kit'
import type { FastifyRequest } from 'fastify'
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
    rateLimit: {
      ...(rateLimitPerMinute !== undefined && { max: rateLimitPerMinute }),
      keyOf: async request => (await deps.authenticator.identifyRequest(request) ?? phoneOf(request, deps.authenticator))?.credentialId,
    },
  })
  await app.register(async (scope: HttpApp) => callRoutes(scope, deps), { prefix: '/v1' })
  await app.register(async (scope: HttpApp) => phoneRoutes(scope, deps), { prefix: '/phone/v1' })
  return app
}

/** A phone behind the same address as all others has its own budget too. */
function phoneOf ({ params }: FastifyRequest, authenticator: Authenticator): Principal | undefined {
  const { deviceToken } = params as { deviceToken?: string }
  return deviceToken === undefined ? undefined : authenticator.authenticate(deviceToken, ['device-token'])
}
