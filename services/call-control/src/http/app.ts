import type { AuditEntry, ProblemCode } from '@tacet/contracts'
import { createHttpApp, createRefusalAudit, handleError, type Authenticator, type HttpApp, type Logger, type Metrics, type Principal, type RefusalAudit } from '@tacet/service-kit'
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
  /** Into the audit log, with the next publishing. */
  appendAudit: (entry: AuditEntry) => Promise<void>
  clock: () => number
}

export interface AppOptions extends AppDependencies {
  logger: Logger
  metrics?: Metrics
  rateLimitPerMinute?: number
  trustProxy?: string[] | undefined
}

export async function createCallControlApp ({ logger, metrics, rateLimitPerMinute, trustProxy, ...deps }: AppOptions): Promise<HttpApp> {
  const app = await createHttpApp({
    name: 'call-control',
    version: '1.0.0',
    description: 'Live calls, and the stopping and starting of their recordings.',
    logger,
    trustProxy,
    ...(metrics && { metrics }),
    rateLimit: {
      ...(rateLimitPerMinute !== undefined && { max: rateLimitPerMinute }),
      keyOf: async request => (await deps.authenticator.identifyRequest(request) ?? phoneOf(request, deps.authenticator))?.credentialId,
    },
  })
  // What reaches the commands they put into the audit log themselves.
  const audit = (...codes: ProblemCode[]) => createRefusalAudit({ action: actionOf, isRead, codes: new Set(['unauthenticated', ...codes]), append: deps.appendAudit, now: deps.clock })
  const [ofReads, ofCommands, ofPhones] = [audit('forbidden', 'call-not-found'), audit(), audit('no-live-call', 'ambiguous-call')]
  const auditing = (scope: HttpApp, auditOf: (request: FastifyRequest) => RefusalAudit) => scope.setErrorHandler(async (error, request, reply) => {
    await auditOf(request)(error, request)
    return handleError(error, request, reply)
  })
  await app.register(async (scope: HttpApp) => callRoutes(auditing(scope, request => isRead(request) ? ofReads : ofCommands), deps), { prefix: '/v1' })
  await app.register(async (scope: HttpApp) => phoneRoutes(auditing(scope, () => ofPhones), deps), { prefix: '/phone/v1' })
  return app
}

/** A phone behind the same address as all others has its own budget too. */
function phoneOf ({ params }: FastifyRequest, authenticator: Authenticator): Principal | undefined {
  const { deviceToken } = params as { deviceToken?: string }
  return deviceToken === undefined ? undefined : authenticator.authenticate(deviceToken, ['device-token'])
}

const commandNames: Record<string, string> = { pause: 'pause', stop: 'pause', resume: 'resume', start: 'resume', toggle: 'toggle' }
/** Which command a request is, by the key of a phone or the end of the path. */
function commandOf ({ method, params, routeOptions: { url = '' } }: FastifyRequest): string | undefined {
  const { key } = params as { key?: string }
  return commandNames[key ?? (method === 'POST' ? url.split('/').at(-1) ?? '' : '')]
}
const isRead = (request: FastifyRequest): boolean => commandOf(request) === undefined
const actionOf = (request: FastifyRequest): string => isRead(request) ? 'calls.request' : `recording.${commandOf(request)}`
