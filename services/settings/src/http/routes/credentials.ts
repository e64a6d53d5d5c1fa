import { createCredentialSchema, createdCredentialSchema, credentialListSchema, credentialQuerySchema } from '@tacet/contracts'
import type { HttpApp } from '@tacet/service-kit'
import { requireCompany } from '../../usecases/shared.ts'
import type { AppDependencies } from '../app.ts'
import { callerOf, requireAccess } from '../authentication.ts'
import { companyParams, credentialParams, described, errors, noContent } from '../schemas.ts'

const tag = 'credentials'

export function credentialRoutes (app: HttpApp, { useCases, store }: AppDependencies): void {
  app.get('/companies/:companyId/credentials', {
    schema: { ...described('The credentials of a company, without their tokens', tag), params: companyParams, querystring: credentialQuerySchema, response: { 200: credentialListSchema, ...errors('not-found') } },
  }, async request => {
    const { companyId } = request.params
    requireAccess(callerOf(request), companyId, 'administer')
    await requireCompany(store, companyId)
    return await store.credentials.list(companyId, request.query)
  })

  app.post('/companies/:companyId/credentials', {
    schema: {
      ...described('Create a credential; this answer is the only one with its token', tag),
      params: companyParams,
      body: createCredentialSchema,
      response: { 201: createdCredentialSchema, ...errors('not-found') },
    },
  }, async (request, reply) => {
    const { companyId } = request.params
    requireAccess(callerOf(request), companyId, 'administer')
    const { credential, token } = await useCases.createCredential(callerOf(request), companyId, request.body)
    return reply.code(201).header('cache-control', 'no-store').send({ ...credential, token })
  })

  app.delete('/companies/:companyId/credentials/:credentialId', {
    schema: { ...described('Revoke a credential', tag), params: credentialParams, response: { 204: noContent, ...errors('not-found') } },
  }, async (request, reply) => {
    const { companyId, credentialId } = request.params
    requireAccess(callerOf(request), companyId, 'administer')
    await useCases.revokeCredential(callerOf(request), companyId, credentialId)
    return reply.code(204).send(null)
  })
}
