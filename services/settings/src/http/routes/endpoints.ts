import { endpointListSchema, endpointQuerySchema, endpointSchema, problem, putEndpointSchema } from '@tacet/contracts'
import type { HttpApp } from '@tacet/service-kit'
import { accessToCompany, isAllowed, isOperator } from '../../domain/caller.ts'
import { found } from '../../usecases/shared.ts'
import type { AppDependencies } from '../app.ts'
import { callerOf, requireOperator } from '../authentication.ts'
import { preconditionOf, sendEntity, sendWritten } from '../conditional.ts'
import { conditionalHeaders, described, endpointParams, errors, noContent } from '../schemas.ts'

const tag = 'endpoints'

/** In a path the slash of an endpoint is written %2F. */
export function endpointRoutes (app: HttpApp, { useCases, store }: AppDependencies): void {
  app.get('/endpoints', {
    schema: { ...described('The endpoints that are assigned to companies, or to the token\'s company', tag), querystring: endpointQuerySchema, response: { 200: endpointListSchema, ...errors() } },
  }, async request => {
    const caller = callerOf(request)
    if (isOperator(caller)) return await store.endpoints.list(request.query)
    if (!isAllowed(caller, 'read') || caller.companyId === null) throw problem('forbidden')
    if (request.query.companyId !== undefined && request.query.companyId !== caller.companyId) return { items: [], nextCursor: null }
    return await store.endpoints.list({ ...request.query, companyId: caller.companyId })
  })

  app.get('/endpoints/:endpoint', {
    schema: { ...described('An endpoint, its company and its agent', tag), params: endpointParams, headers: conditionalHeaders, response: { 200: endpointSchema, 304: noContent, ...errors('not-found') } },
  }, async (request, reply) => {
    const caller = callerOf(request)
    if (!isOperator(caller) && !isAllowed(caller, 'read')) throw problem('forbidden')
    const endpoint = await store.endpoints.find(request.params.endpoint)
    return sendEntity(request, reply, found(endpoint !== null && accessToCompany(caller, endpoint.companyId, 'read') === 'granted' ? endpoint : null, 'endpoint'))
  })

  app.put('/endpoints/:endpoint', {
    schema: {
      ...described('Assign an endpoint to a company (operator)', tag),
      params: endpointParams,
      headers: conditionalHeaders,
      body: putEndpointSchema,
      response: { 200: endpointSchema, 201: endpointSchema, ...errors('not-found', 'in-use', 'precondition-failed') },
    },
  }, async (request, reply) => {
    requireOperator(callerOf(request))
    const { entity, isNew } = await useCases.assignEndpoint(callerOf(request), request.params.endpoint, request.body.companyId, preconditionOf(request))
    return sendWritten(reply, { entity, isNew })
  })

  app.delete('/endpoints/:endpoint', {
    schema: { ...described('Take an endpoint from its company (operator)', tag), params: endpointParams, headers: conditionalHeaders, response: { 204: noContent, ...errors('not-found', 'in-use', 'precondition-failed') } },
  }, async (request, reply) => {
    requireOperator(callerOf(request))
    await useCases.unassignEndpoint(callerOf(request), request.params.endpoint, preconditionOf(request))
    return reply.code(204).send(null)
  })
}
