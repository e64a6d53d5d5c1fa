import { identityProviderSchema, putIdentityProviderSchema } from '@tacet/contracts'
import type { HttpApp } from '@tacet/service-kit'
import { viewOf } from '../../usecases/identity-provider.ts'
import { found, requireCompany } from '../../usecases/shared.ts'
import type { AppDependencies } from '../app.ts'
import { callerOf, requireAccess } from '../authentication.ts'
import { preconditionOf, sendEntity, sendWritten } from '../conditional.ts'
import { companyParams, conditionalHeaders, described, errors, noContent } from '../schemas.ts'

const tag = 'identity provider'
const path = '/companies/:companyId/identity-provider'

export function identityProviderRoutes (app: HttpApp, { useCases, store }: AppDependencies): void {
  app.get(path, {
    schema: { ...described('The company\'s identity provider and its keys', tag), params: companyParams, headers: conditionalHeaders, response: { 200: identityProviderSchema, 304: noContent, ...errors('not-found') } },
  }, async (request, reply) => {
    const { companyId } = request.params
    requireAccess(callerOf(request), companyId, 'administer')
    await requireCompany(store, companyId)
    return sendEntity(request, reply, viewOf(found(await store.keySets.findOfCompany(companyId), 'identity provider')))
  })

  app.put(path, {
    schema: {
      ...described('Accept the JWTs of the company\'s identity provider (owner)', tag),
      params: companyParams,
      headers: conditionalHeaders,
      body: putIdentityProviderSchema,
      response: { 200: identityProviderSchema, 201: identityProviderSchema, ...errors('not-found', 'precondition-failed') },
    },
  }, async (request, reply) => {
    const { companyId } = request.params
    requireAccess(callerOf(request), companyId, 'administer')
    const { entity, isNew } = await useCases.putIdentityProvider(callerOf(request), companyId, request.body, preconditionOf(request))
    return sendWritten(reply, { entity: viewOf(entity), isNew })
  })

  app.delete(path, {
    schema: { ...described('Accept them no longer (owner)', tag), params: companyParams, headers: conditionalHeaders, response: { 204: noContent, ...errors('not-found', 'precondition-failed') } },
  }, async (request, reply) => {
    const { companyId } = request.params
    requireAccess(callerOf(request), companyId, 'administer')
    await useCases.deleteIdentityProvider(callerOf(request), companyId, preconditionOf(request))
    return reply.code(204).send(null)
  })
}
