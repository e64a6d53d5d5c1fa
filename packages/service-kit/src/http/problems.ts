import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod'
import { isProblem, problem, problemBody, type Problem, type ProblemCode } from '@tacet/contracts'

export const correlationIdHeader = 'x-correlation-id'

const frameworkProblems: Record<string, ProblemCode> = {
  FST_ERR_CTP_INVALID_JSON_BODY: 'malformed-json',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'malformed-json',
  FST_ERR_CTP_BODY_TOO_LARGE: 'payload-too-large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported-media-type',
  FST_ERR_CTP_EMPTY_TYPE: 'unsupported-media-type',
  FST_UNDER_PRESSURE: 'overloaded',
}

const statusProblems: Record<number, ProblemCode> = {
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not-found',
  413: 'payload-too-large',
  414: 'invalid-request',
  415: 'unsupported-media-type',
  429: 'rate-limited',
}

/** The problem a caller sees for whatever was thrown. What we did not foresee is masked as `internal-error`. */
export function toProblem (error: unknown): Problem {
  if (isProblem(error)) return error
  if (hasZodFastifySchemaValidationErrors(error)) return validationProblem(error)
  const { code = '', statusCode = 500, message = '' } = error as Partial<FastifyError>
  const known = frameworkProblems[code]
  if (known !== undefined) return problem(known)
  if (statusCode >= 400 && statusCode < 500) return problem(statusProblems[statusCode] ?? 'invalid-request', message)
  return problem('internal-error', undefined, {}, error)
}

function validationProblem (error: Omit<FastifyError, 'validation'> & { validation: Array<{ instancePath: string, message?: string, params: Record<string, unknown> }> }): Problem {
  const errors = error.validation.flatMap(({ instancePath, message = 'not valid', params }) => {
    const path = instancePath.split('/').filter(part => part !== '')
    const unrecognized = Array.isArray(params['keys']) ? params['keys'].map(String) : undefined
    if (unrecognized !== undefined) return unrecognized.map(key => ({ field: [...path, key].join('.'), message: 'not a known field' }))
    return [{ field: path.join('.') || (error.validationContext ?? 'body'), message }]
  })
  return problem('invalid-request', errors.map(({ field, message }) => `${field}: ${message}`).join('; '), { errors })
}

export function sendProblem (request: FastifyRequest, reply: FastifyReply, error: Problem): FastifyReply {
  // Serialized here: a route's response schema must not reshape an error.
  return reply.code(error.status).headers(problemHeaders(error, request)).send(JSON.stringify(problemBody(error, request.id)))
}

function problemHeaders (error: Problem, request: FastifyRequest): Record<string, string> {
  const { retryAfterSeconds } = error.extra
  return {
    'content-type': 'application/problem+json',
    [correlationIdHeader]: request.id,
    ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
    ...(error.status === 401 ? { 'www-authenticate': challenge(request) } : {}),
  }
}

/** RFC 6750, 3.1: no error code for a request that brought no token. */
function challenge (request: FastifyRequest): string {
  return `Bearer realm="tacet"${request.headers.authorization === undefined ? '' : ', error="invalid_token"'}`
}

export function handleError (error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const answer = toProblem(error)
  if (answer.code === 'internal-error') request.log.error({ err: answer.cause ?? error, req: request }, 'request failed')
  else if (answer.status >= 500) request.log.warn({ code: answer.code, detail: answer.message, err: answer.cause, req: request }, 'request refused')
  return sendProblem(request, reply, answer)
}
