import { companyListSchema, companyQuerySchema, companySchema, putCompanySchema } from '@tacet/contracts'
import type { HttpApp } from '@tacet/service-kit'
import { isAllowed, isOperator } from '../../domain/caller.ts'
import { requireCompany } from '../../usecases/shared.ts'
import type { AppDependencies } from '../app.ts'
import { callerOf, requireAccess, requireOperator } from '../authentication.ts'
import { sendWritten } from '../conditional.ts'
import { companyParams, described, errors } from '../schemas.ts'
import { entityRoutes } from './entity-routes.ts'

const tag = 'companies'

export function companyRoutes (app: HttpApp, { useCases, store, newId }: AppDependencies): void {
  app.get('/companies', {
    schema: { ...described('The companies this token may see, by name', tag), querystring: companyQuerySchema, response: { 200: companyListSchema, ...errors() } },
  }, async request => {
    const caller = callerOf(request)
    if (isOperator(caller)) return await store.companies.list(request.query)
    const own = isAllowed(caller, 'read') && caller.companyId !== null ? await store.companies.find(caller.companyId) : null
    return { items: own === null ? [] : [own], nextCursor: null }
  })

  app.post('/companies', {
    schema: { ...described('Create a company (operator)', tag), body: putCompanySchema, response: { 201: companySchema, ...errors() } },
  }, async (request, reply) => {
    const caller = callerOf(request)
    requireOperator(caller)
    const companyId = newId()
    const written = await useCases.companies.put({ caller, companyId, id: companyId, precondition: {} }, request.body)
    return sendWritten(reply.header('location', `/v1/companies/${companyId}`), written)
  })

  entityRoutes(app, {
    path: '/companies/:companyId',
    tag,
    noun: 'a company (to delete one is for the operator)',
    params: companyParams,
    schema: companySchema,
    fields: putCompanySchema,
    writer: useCases.companies,
    idsOf: params => {
      const { companyId } = params as { companyId: string }
      return { companyId, id: companyId }
    },
    idOf: entity => entity.companyId,
    find: ({ companyId }) => requireCompany(store, companyId),
    authorize: (caller, companyId, action) => {
      requireAccess(caller, companyId, action === 'read' ? 'read' : 'write')
      if (action === 'delete') requireOperator(caller)
    },
  })
}
