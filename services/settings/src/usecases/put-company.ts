import { isDeepStrictEqual } from 'node:util'
import { problem, type Company, type putCompanySchema } from '@tacet/contracts'
import type { z } from 'zod'
import { isOperator, type Caller } from '../domain/caller.ts'
import { announce } from '../domain/changes.ts'
import type { Dependencies } from './ports.ts'
import { causeOf, type PutResult } from './shared.ts'

export type CompanyFields = z.output<typeof putCompanySchema>

/** Creates or replaces a company; the same again changes nothing. Only the operator creates. */
export function createPutCompany (deps: Dependencies) {
  return async (caller: Caller, companyId: string, fields: CompanyFields): Promise<PutResult<Company>> =>
    await deps.store.change(companyId, async unit => {
      const before = await unit.companies.find(companyId)
      if (before === null && !isOperator(caller)) throw problem('not-found', 'no such company')
      if (before !== null && isDeepStrictEqual(before, { ...fields, companyId, version: before.version })) return { entity: before, isNew: false }

      const entity: Company = { ...fields, companyId, version: await unit.nextVersion('company', companyId, companyId) }
      await unit.companies.save(entity)
      const action = before === null ? 'create' : 'update'
      await unit.announce(announce(causeOf(caller, deps), action, before && { kind: 'company', value: before }, { kind: 'company', value: entity }))
      return { entity, isNew: before === null }
    })
}
