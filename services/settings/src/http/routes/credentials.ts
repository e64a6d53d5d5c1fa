import { createCredentialSchema, createdCredentialSchema, credentialListSchema, credentialQuerySchema, credentialViewSchema, mergePatchSchema } from '@tacet/contracts'
import type { HttpApp } from '@tacet/service-kit'
import type { FastifyRequest } from 'fastify'
import { found, requireCompany } from '../../usecases/shared.ts'
import type { Conditional } from '../../usecases/write-entity.ts'
import type { AppDependencies } from '../app.ts'
import { callerOf, requireAccess } from '../authentication.ts'
import { preconditionOf, sendEntity, sendWritten } from '../conditional.ts'
import { companyParams, conditionalHeaders, credentialParams, described, errors, noContent } from '../schemas.ts'

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

  const one = { params: credentialParams, headers: conditionalHeaders }
  const path = '/companies/:companyId/credentials/:credentialId'

  function targetOf (request: FastifyRequest): Conditional {
    const { companyId, credentialId } = request.params as { companyId: string, credentialId: string }
    requireAccess(callerOf(request), companyId, 'administer')
    return { caller: callerOf(request), companyId, id: credentialId, precondition: preconditionOf(request) }
  }

  app.get(path, {
    schema: { ...described('Read a credential, without its token', tag), ...one, response: { 200: credentialViewSchema, 304: noContent, ...errors('not-found') } },
  }, async (request, reply) => {
    const { companyId, id } = targetOf(request)
    return sendEntity(request, reply, found(await store.credentials.find(companyId, id), 'credential'))
  })

  app.patch(path, {
    schema: {
      ...described('Change label or expiry of a credential (JSON Merge Patch)', tag),
      ...one,
      consumes: ['application/merge-patch+json', 'application/json'],
      body: mergePatchSchema,
      response: { 200: credentialViewSchema, ...errors('not-found', 'precondition-failed') },
    },
  }, async (request, reply) => sendWritten(reply, { entity: await useCases.changeCredential(targetOf(request), request.body), isNew: false }))

  app.delete(path, {
    schema: { ...described('Revoke a credential', tag), ...one, response: { 204: noContent, ...errors('not-found', 'precondition-failed') } },
  }, async (request, reply) => {
    await useCases.revokeCredential(targetOf(request))
    return reply.code(204).send(null)
  })
}
