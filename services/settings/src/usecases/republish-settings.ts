import type { Caller } from '../domain/caller.ts'
import { audit, stateOf, type Entity } from '../domain/changes.ts'
import { ownKeySetId } from './issue-token.ts'
import type { Dependencies, UnitOfWork } from './ports.ts'
import { causeOf } from './shared.ts'

export interface Republished {
  companies: number
  entities: number
}

/** Announces the whole snapshot again, with the versions it has: readers who know it ignore it. */
export function createRepublishSettings (deps: Dependencies) {
  return async (caller: Caller): Promise<Republished> => {
    const companies = await deps.store.companies.ids()
    let entities = 0
    for (const companyId of companies) {
      entities += await deps.store.change(companyId, async unit => {
        const all = await everythingOf(unit, companyId)
        await unit.announce([...all.map(stateOf), audit(causeOf(caller, deps), companyId, 'settings.republish', { entities: all.length })])
        return all.length
      })
    }
    await deps.store.change(ownKeySetId, async unit => {
      const own = await unit.keySets.find(ownKeySetId)
      if (own !== null) await unit.announce([stateOf({ kind: 'key-set', value: own })])
    })
    return { companies: companies.length, entities }
  }
}

async function everythingOf (unit: UnitOfWork, companyId: string): Promise<Entity[]> {
  const company = await unit.companies.find(companyId)
  const numbers = await unit.numbers.all(companyId)
  const agents = await unit.agents.all(companyId)
  const credentials = await unit.credentials.all(companyId)
  const keySet = await unit.keySets.findOfCompany(companyId)
  return [
    ...(company === null ? [] : [{ kind: 'company' as const, value: company }]),
    ...numbers.map(value => ({ kind: 'number' as const, value })),
    ...agents.map(value => ({ kind: 'agent' as const, value })),
    ...(keySet === null ? [] : [{ kind: 'key-set' as const, value: keySet }]),
    ...credentials.map(value => ({ kind: 'credential' as const, value })),
  ]
}
