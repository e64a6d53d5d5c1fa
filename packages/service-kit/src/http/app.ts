import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import helmet from '@fastify/helmet'
import rateLimit from '@fastify/rate-limit'
import swagger from '@fastify/swagger'
import underPressure from '@fastify/under-pressure'
import { fastify, LogController, type FastifyBaseLogger, type FastifyInstance, type FastifyRequest, type RawServerDefault } from 'fastify'
import { jsonSchemaTransform, serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod'
import { problem, problemBody } from '@tacet/contracts'
import { withCorrelationId } from '../context.ts'
import type { Logger } from '../logging.ts'
import type { Metrics } from '../metrics.ts'
import { describeUsedSchemas } from './openapi.ts'
import { correlationIdHeader, handleError, sendProblem } from './problems.ts'

export type HttpApp = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, FastifyBaseLogger, ZodTypeProvider>

export interface HttpAppOptions {
  name: string
  version: string
  logger: Logger
  description?: string
  metrics?: Metrics
  rateLimit?: {
    /** Requests per window, 1200 unless told otherwise. */
    max?: number
    windowMs?: number
    /** Who is asking; undefined counts by network address. */
    keyOf?: (request: FastifyRequest) => string | undefined | Promise<string | undefined>
  }
  bodyLimitBytes?: number
  /** Above this mean delay of the event loop requests get 503; 0 switches it off. */
  maxEventLoopDelayMs?: number
  /** Addresses of proxies whose forwarding headers are believed. */
  trustProxy?: string[] | undefined
}

const isCorrelationId = (value: unknown): value is string => typeof value === 'string' && /^[\w.:-]{1,128}$/.test(value)

/**
 * A Fastify instance with everything our APIs share; add the routes, then listen.
 * Every error is answered as problem details, every answer carries `x-correlation-id`, `/openapi.json` describes the routes.
 */
export async function createHttpApp (options: HttpAppOptions): Promise<HttpApp> {
  const { logger, metrics, trustProxy = false, bodyLimitBytes = 64 * 1024 } = options
  const app = fastify({
    loggerInstance: logger as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'correlationId' }),
    genReqId: request => isCorrelationId(request.headers[correlationIdHeader]) ? request.headers[correlationIdHeader] : randomUUID(),
    trustProxy,
    bodyLimit: bodyLimitBytes,
    connectionTimeout: 60_000,
    requestTimeout: 30_000,
    keepAliveTimeout: 72_000,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    frameworkErrors: (error, request, reply) => { handleError(error, request, reply).then(() => {}, () => {}) },
    clientErrorHandler: refuseMalformedHttp,
  }).withTypeProvider<ZodTypeProvider>()

  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  app.setErrorHandler(handleError)
  app.decorateRequest('principal', undefined)

  app.addHook('onRequest', (request, reply, done) => {
    reply.raw.setHeader(correlationIdHeader, request.id)
    withCorrelationId(request.id, done)
  })
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unknown'
    metrics?.httpDuration.observe({ method: request.method, route, status: String(reply.statusCode) }, reply.elapsedTime / 1_000)
    request.log.debug({ method: request.method, route, status: reply.statusCode, durationMs: Math.round(reply.elapsedTime) }, 'request answered')
  })

  await app.register(helmet)
  await app.register(underPressure, { maxEventLoopDelay: options.maxEventLoopDelayMs ?? 2_000, retryAfter: 2 })
  await registerRateLimit(app, options.rateLimit)
  app.setNotFoundHandler((request, reply) => sendProblem(request, reply, problem('not-found')))
  await registerOpenApi(app, options)
  return app
}

async function registerRateLimit (app: HttpApp, { max = 1_200, windowMs = 60_000, keyOf }: NonNullable<HttpAppOptions['rateLimit']> = {}): Promise<void> {
  await app.register(rateLimit, {
    global: false,
    max,
    timeWindow: windowMs,
    keyGenerator: async request => await keyOf?.(request) ?? request.ip,
    errorResponseBuilder: (_request, { ttl }) => problem('rate-limited', undefined, { retryAfterSeconds: Math.ceil(ttl / 1_000) }),
  })
  // For every route, and before whatever asks who is there: the plugin's own hooks would come after, and count no refused key.
  app.addHook('onRequest', app.rateLimit())
}

async function registerOpenApi (app: HttpApp, { name, version, description = '' }: HttpAppOptions): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: `Tacet ${name}`, version, description },
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
    },
    transform: jsonSchemaTransform,
    transformObject: describeUsedSchemas,
  })
  app.get('/openapi.json', { schema: { hide: true } as object }, async () => app.swagger())
}

/** Answers requests that are not HTTP at all; there is no request object yet. */
function refuseMalformedHttp (error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const body = JSON.stringify(problemBody(problem('invalid-request', 'not a valid HTTP request')))
  socket.end(`HTTP/1.1 400 Bad Request\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`)
}
