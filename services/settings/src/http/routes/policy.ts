import { explainQuerySchema, explanationSchema } from '@tacet/contracts'
import type { HttpApp } from '@tacet/service-kit'
import { found } from '../../usecases/shared.ts'
import type { AppDependencies } from '../app.ts'
import { callerOf, requireAccess } from '../authentication.ts'
import { companyParams, described, errors } from '../schemas.ts'

const tag = 'policy'

export function policyRoutes (app: HttpApp, { useCases, store }: AppDependencies): void {
  const response = { 200: explanationSchema, ...errors('not-found') }

  app.get('/companies/:companyId/policy/explain', {
    schema: { ...described('Which rules such a call would have, and why', tag), params: companyParams, querystring: explainQuerySchema, response },
  }, async request => {
    requireAccess(callerOf(request), request.params.companyId, 'read')
    return await useCases.explainPolicy(request.params.companyId, request.query)
  })

  app.get('/policy/explain', {
    schema: { ...described('The same, in the company of the token (for the operator: of the agent)', tag), querystring: explainQuerySchema, response },
  }, async request => {
    const caller = callerOf(request)
    const companyId = caller.companyId ?? found(await store.agents.findCompanyId(request.query.agent), 'agent')
    requireAccess(caller, companyId, 'read')
    return await useCases.explainPolicy(companyId, request.query)
  })
}
