import { putCompanySchema, type Company } from '@tacet/contracts'
import type { z } from 'zod'
import { announce } from '../domain/changes.ts'
import { isCountry } from '@tacet/policy'
import { removeIdentityProvider } from './identity-provider.ts'
import type { Dependencies } from './ports.ts'
import { causeOf, invalid } from './shared.ts'
import type { Kind } from './write-entity.ts'
import { createWriter } from './write-entity.ts'
import { createAgentKind } from './write-agent.ts'
import { numberKind } from './write-number.ts'

export type CompanyFields = z.output<typeof putCompanySchema>

/** Only the operator creates companies. What a company has goes with it; its audit log stays. */
export function createCompanyKind (deps: Dependencies): Kind<Company, CompanyFields> {
  const numbers = createWriter(deps, numberKind)
  const agents = createWriter(deps, createAgentKind(deps))
  return {
    name: 'company',
    schema: putCompanySchema,
    find: (unit, { companyId }) => unit.companies.find(companyId),
    fieldsOf: ({ companyId: _, version: __, ...fields }) => fields,
    async compose (_unit, { companyId }, fields) {
      if (fields.country !== null && !isCountry(fields.country)) throw invalid('country', 'no such country')
      return { ...fields, companyId }
    },
    save: (unit, company) => unit.companies.save(company),
    async remove (unit, { companyId }, { caller }) {
      for (const agent of await unit.agents.all(companyId)) await agents.remove(unit, { caller, companyId, id: agent.agentId }, agent)
      for (const number of await unit.numbers.all(companyId)) await numbers.remove(unit, { caller, companyId, id: number.numberId }, number)
      for (const value of await unit.credentials.all(companyId)) {
        await unit.credentials.remove(value.credentialId)
        await unit.announce(announce(causeOf(caller, deps), 'delete', { kind: 'credential', value }, null))
      }
      const identityProvider = await unit.keySets.findOfCompany(companyId)
      if (identityProvider !== null) await removeIdentityProvider(deps, unit, caller, identityProvider)
      await unit.endpoints.removeOf(companyId)
      await unit.companies.remove(companyId)
    },
  }
}
