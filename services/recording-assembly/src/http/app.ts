import { problem, type AuditEntry, type ProblemCode } from '@tacet/contracts'
import { createHttpApp, createRefusalAudit, handleError, isTransientDatabaseError, requirePrincipal, type Authenticator, type HttpApp, type Logger, type Metrics } from '@tacet/service-kit'
import { DependencyUnavailable } from '../usecases/errors.ts'
import type { ReadRecording } from '../usecases/read-recording.ts'
import type { Listen } from '../usecases/listen.ts'
import type { ManageRecording } from '../usecases/manage-recording.ts'
import type { ExportVcon } from '../usecases/export-vcon.ts'
import type { ManageJobs } from '../usecases/manage-jobs.ts'
import type { ReadPeaks } from '../usecases/read-peaks.ts'
import { exportRoutes } from './export-routes.ts'
import { jobReadingRoutes, jobRoutes } from './job-routes.ts'
import { linkMakingRoutes, linkRoutes } from './link-routes.ts'
import { manageRoutes } from './manage-routes.ts'
import { recordingRoutes } from './routes.ts'

export interface AppDependencies {
  readRecording: ReadRecording
  listen: Listen
  manageRecording: ManageRecording
  manageJobs: ManageJobs
  readPeaks: ReadPeaks
  exportVcon: ExportVcon
  publicUrl?: string | undefined
  authenticator: Authenticator
  appendAudit: (entry: AuditEntry) => Promise<void>
}

export interface AppOptions extends AppDependencies {
  logger: Logger
  metrics?: Metrics
  rateLimitPerMinute?: number
  trustProxy?: string[] | undefined
}

export async function createAssemblyApp ({ readRecording, listen, manageRecording, manageJobs, readPeaks, exportVcon, authenticator, appendAudit, publicUrl, logger, metrics, rateLimitPerMinute, trustProxy }: AppOptions): Promise<HttpApp> {
  const app = await createHttpApp({
    name: 'recording-assembly',
    version: '1.0.0',
    description: 'Finished recordings: what was recorded, the audio, and where every stretch of it was in the call.',
    logger,
    trustProxy,
    ...(metrics && { metrics }),
    rateLimit: {
      ...(rateLimitPerMinute !== undefined && { max: rateLimitPerMinute }),
      keyOf: async request => (await authenticator.identifyRequest(request))?.credentialId,
    },
  })
  await app.register(async (v1: HttpApp) => {
    auditing(v1, 'unauthenticated')
    v1.addHook('onRequest', requirePrincipal(authenticator))
    await v1.register(async (reading: HttpApp) => {
      auditing(reading, 'unauthenticated', 'recording-not-found')
      recordingRoutes(reading, { readRecording, listen })
      exportRoutes(reading, { readPeaks, exportVcon, publicUrl })
      linkMakingRoutes(reading, { listen })
    })
    await v1.register(async (reading: HttpApp) => {
      auditing(reading, 'unauthenticated', 'forbidden', 'job-not-found')
      jobReadingRoutes(reading, { manageJobs })
    })
    manageRoutes(v1, { manageRecording })
    jobRoutes(v1, { manageJobs })
  }, { prefix: '/v1' })
  await app.register(async (open: HttpApp) => {
    auditing(open, 'link-invalid')
    linkRoutes(open, { listen })
  }, { prefix: '/v1' })
  return app

  /** Orders to delete, hold, cut and to run a job again put their own refusals into the audit log. */
  function auditing (scope: HttpApp, ...codes: ProblemCode[]): void {
    const noteRefusal = createRefusalAudit({ action: 'recordings.request', codes: new Set(codes), append: appendAudit })
    scope.setErrorHandler(async (error, request, reply) => {
      await noteRefusal(error, request)
      return handleError(nameOutage(error), request, reply)
    })
  }
}

/** Whatever is away, database or store: say so. */
const nameOutage = (error: unknown): unknown =>
  isTransientDatabaseError(error) || error instanceof DependencyUnavailable ? problem('storage-unavailable', undefined, { retryAfterSeconds: 2 }, error) : error
