import { agentListSchema, agentQuerySchema, agentSchema, putAgentSchema } from '@tacet/contracts'
import type { HttpApp } from '@tacet/service-kit'
import { found, requireCompany } from '../../usecases/shared.ts'
import type { AppDependencies } from '../app.ts'
import { callerOf, requireAccess } from '../authentication.ts'
import { agentParams, companyParams, described, errors } from '../schemas.ts'
import { entityRoutes } from './entity-routes.ts'

const tag = 'agents'

export function agentRoutes (app: HttpApp, { useCases, store }: AppDependencies): void {
  app.get('/companies/:companyId/agents', {
    schema: { ...described('The agents of a company, by name', tag), params: companyParams, querystring: agentQuerySchema, response: { 200: agentListSchema, ...errors('not-found') } },
  }, async request => {
    const { companyId } = request.params
    requireAccess(callerOf(request), companyId, 'read')
    await requireCompany(store, companyId)
    return await store.agents.list(companyId, request.query)
  })

  entityRoutes(app, {
    path: '/companies/:companyId/agents/:agentId',
    collection: '/companies/:companyId/agents',
    tag,
    noun: 'an agent',
    params: agentParams,
    schema: agentSchema,
    fields: putAgentSchema,
    writer: useCases.agents,
    idsOf: params => {
      const { companyId, agentId } = params as { companyId: string, agentId: string }
      return { companyId, id: agentId }
    },
    idOf: entity => entity.agentId,
    find: async ({ companyId, id }) => found(await store.agents.find(companyId, id), 'agent'),
    authorize: (caller, companyId, action) => requireAccess(caller, companyId, action === 'read' ? 'read' : 'write'),
  })
}
