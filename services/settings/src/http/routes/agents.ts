import { agentListSchema, agentSchema, putAgentSchema } from '@tacet/contracts'
import type { HttpApp } from '@tacet/service-kit'
import { found, requireCompany } from '../../usecases/shared.ts'
import type { AppDependencies } from '../app.ts'
import { callerOf, requireAccess } from '../authentication.ts'
import { agentParams, companyParams, described, errors, noContent } from '../schemas.ts'

const tag = 'agents'

export function agentRoutes (app: HttpApp, { useCases, store }: AppDependencies): void {
  app.get('/companies/:companyId/agents', {
    schema: { ...described('The agents of a company', tag), params: companyParams, response: { 200: agentListSchema, ...errors('not-found') } },
  }, async request => {
    const { companyId } = request.params
    requireAccess(callerOf(request), companyId)
    await requireCompany(store, companyId)
    return { items: await store.agents.list(companyId) }
  })

  app.get('/companies/:companyId/agents/:agentId', {
    schema: { ...described('An agent', tag), params: agentParams, response: { 200: agentSchema, ...errors('not-found') } },
  }, async request => {
    const { companyId, agentId } = request.params
    requireAccess(callerOf(request), companyId)
    return found(await store.agents.find(companyId, agentId), 'agent')
  })

  app.put('/companies/:companyId/agents/:agentId', {
    schema: {
      ...described('Create or replace an agent', tag),
      params: agentParams,
      body: putAgentSchema,
      response: { 200: agentSchema, 201: agentSchema, ...errors('not-found', 'already-exists', 'not-yours') },
    },
  }, async (request, reply) => {
    const { companyId, agentId } = request.params
    requireAccess(callerOf(request), companyId)
    const { entity, isNew } = await useCases.putAgent(callerOf(request), companyId, agentId, request.body)
    return reply.code(isNew ? 201 : 200).send(entity)
  })

  app.delete('/companies/:companyId/agents/:agentId', {
    schema: { ...described('Delete an agent and revoke the credentials of the agent', tag), params: agentParams, response: { 204: noContent, ...errors('not-found') } },
  }, async (request, reply) => {
    const { companyId, agentId } = request.params
    requireAccess(callerOf(request), companyId)
    await useCases.deleteAgent(callerOf(request), companyId, agentId)
    return reply.code(204).send(null)
  })
}
