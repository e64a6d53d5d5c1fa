import { numberListSchema, numberSchema, putNumberSchema } from '@tacet/contracts'
import type { HttpApp } from '@tacet/service-kit'
import { found, requireCompany } from '../../usecases/shared.ts'
import type { AppDependencies } from '../app.ts'
import { callerOf, requireAccess } from '../authentication.ts'
import { companyParams, described, errors, noContent, numberParams } from '../schemas.ts'

const tag = 'numbers'

export function numberRoutes (app: HttpApp, { useCases, store }: AppDependencies): void {
  app.get('/companies/:companyId/numbers', {
    schema: { ...described('The numbers of a company', tag), params: companyParams, response: { 200: numberListSchema, ...errors('not-found') } },
  }, async request => {
    const { companyId } = request.params
    requireAccess(callerOf(request), companyId)
    await requireCompany(store, companyId)
    return { items: await store.numbers.list(companyId) }
  })

  app.get('/companies/:companyId/numbers/:numberId', {
    schema: { ...described('A number', tag), params: numberParams, response: { 200: numberSchema, ...errors('not-found') } },
  }, async request => {
    const { companyId, numberId } = request.params
    requireAccess(callerOf(request), companyId)
    return found(await store.numbers.find(companyId, numberId), 'number')
  })

  app.put('/companies/:companyId/numbers/:numberId', {
    schema: {
      ...described('Create or replace a number', tag),
      params: numberParams,
      body: putNumberSchema,
      response: { 200: numberSchema, 201: numberSchema, ...errors('not-found', 'already-exists') },
    },
  }, async (request, reply) => {
    const { companyId, numberId } = request.params
    requireAccess(callerOf(request), companyId)
    const { entity, isNew } = await useCases.putNumber(callerOf(request), companyId, numberId, request.body)
    return reply.code(isNew ? 201 : 200).send(entity)
  })

  app.delete('/companies/:companyId/numbers/:numberId', {
    schema: { ...described('Delete a number', tag), params: numberParams, response: { 204: noContent, ...errors('not-found') } },
  }, async (request, reply) => {
    const { companyId, numberId } = request.params
    requireAccess(callerOf(request), companyId)
    await useCases.deleteNumber(callerOf(request), companyId, numberId)
    return reply.code(204).send(null)
  })
}
