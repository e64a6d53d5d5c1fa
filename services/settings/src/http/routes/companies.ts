import { companyListSchema, companySchema, putCompanySchema } from '@tacet/contracts'
import type { HttpApp } from '@tacet/service-kit'
import { isAdministrator, isOperator } from '../../domain/caller.ts'
import { requireCompany } from '../../usecases/shared.ts'
import type { AppDependencies } from '../app.ts'
import { callerOf, requireAccess, requireOperator } from '../authentication.ts'
import { companyParams, described, errors } from '../schemas.ts'

const tag = 'companies'

export function companyRoutes (app: HttpApp, { useCases, store, newId }: AppDependencies): void {
  app.get('/companies', {
    schema: { ...described('The companies this token may administer', tag), response: { 200: companyListSchema, ...errors() } },
  }, async request => {
    const caller = callerOf(request)
    if (isOperator(caller)) return { items: await store.companies.list() }
    const own = isAdministrator(caller) && caller.companyId !== null ? await store.companies.find(caller.companyId) : null
    return { items: own === null ? [] : [own] }
  })

  app.post('/companies', {
    schema: { ...described('Create a company (operator)', tag), body: putCompanySchema, response: { 201: companySchema, ...errors() } },
  }, async (request, reply) => {
    requireOperator(callerOf(request))
    const { entity } = await useCases.putCompany(callerOf(request), newId(), request.body)
    return reply.code(201).header('location', `/v1/companies/${entity.companyId}`).send(entity)
  })

  app.get('/companies/:companyId', {
    schema: { ...described('A company', tag), params: companyParams, response: { 200: companySchema, ...errors('not-found') } },
  }, async request => {
    requireAccess(callerOf(request), request.params.companyId)
    return await requireCompany(store, request.params.companyId)
  })

  app.put('/companies/:companyId', {
    schema: {
      ...described('Replace a company, or create it under this id (operator)', tag),
      params: companyParams,
      body: putCompanySchema,
      response: { 200: companySchema, 201: companySchema, ...errors('not-found', 'already-exists') },
    },
  }, async (request, reply) => {
    requireAccess(callerOf(request), request.params.companyId)
    const { entity, isNew } = await useCases.putCompany(callerOf(request), request.params.companyId, request.body)
    return reply.code(isNew ? 201 : 200).send(entity)
  })
}
