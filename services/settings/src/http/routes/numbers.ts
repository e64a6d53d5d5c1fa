import { numberListSchema, numberQuerySchema, numberSchema, putNumberSchema } from '@tacet/contracts'
import type { HttpApp } from '@tacet/service-kit'
import { found, requireCompany } from '../../usecases/shared.ts'
import type { AppDependencies } from '../app.ts'
import { callerOf, requireAccess } from '../authentication.ts'
import { companyParams, described, errors, numberParams } from '../schemas.ts'
import { entityRoutes } from './entity-routes.ts'

const tag = 'numbers'

export function numberRoutes (app: HttpApp, { useCases, store }: AppDependencies): void {
  app.get('/companies/:companyId/numbers', {
    schema: { ...described('The numbers of a company', tag), params: companyParams, querystring: numberQuerySchema, response: { 200: numberListSchema, ...errors('not-found') } },
  }, async request => {
    const { companyId } = request.params
    requireAccess(callerOf(request), companyId, 'read')
    await requireCompany(store, companyId)
    return await store.numbers.list(companyId, request.query)
  })

  entityRoutes(app, {
    path: '/companies/:companyId/numbers/:numberId',
    collection: '/companies/:companyId/numbers',
    tag,
    noun: 'a number',
    params: numberParams,
    schema: numberSchema,
    fields: putNumberSchema,
    writer: useCases.numbers,
    idsOf: params => {
      const { companyId, numberId } = params as { companyId: string, numberId: string }
      return { companyId, id: numberId }
    },
    idOf: entity => entity.numberId,
    find: async ({ companyId, id }) => found(await store.numbers.find(companyId, id), 'number'),
    authorize: (caller, companyId, action) => requireAccess(caller, companyId, action === 'read' ? 'read' : 'write'),
  })
}
