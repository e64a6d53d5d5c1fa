import type { PhoneNumber } from '@tacet/contracts'
import { freezeAgent, freezeCompanyAndNumber, spellingsOf } from '@tacet/policy'
import type { Replica } from '@tacet/service-kit'
import type { EndpointOwner, FindOwner } from '../domain/call-view.ts'
import type { SettingsNow } from '../domain/call.ts'

/** The settings as calls need them, out of our own copy. */
export function createSettingsView (replica: Replica<'tacet.settings.v1'>): { settings: SettingsNow, findOwner: FindOwner } {
  const owners = new Map<string, EndpointOwner>()
  const numbers = new Map<string, PhoneNumber>()
  const numberKey = (companyId: string, number: string) => `${companyId} ${number}`

  const index = () => {
    owners.clear()
    numbers.clear()
    for (const { agentId, companyId, endpoints } of replica.list('agent.changed')) {
      for (const endpoint of endpoints) owners.set(endpoint, { agentId, companyId })
    }
    for (const number of replica.list('number.changed')) numbers.set(numberKey(number.companyId, number.number), number)
  }
  let isStale = true
  replica.onChange(() => { isStale = true })
  const fresh = <T>(read: () => T): T => {
    if (isStale) index()
    isStale = false
    return read()
  }

  return {
    findOwner: endpoint => fresh(() => owners.get(endpoint)),
    settings: {
      rulesFor (companyId, number) {
        const company = replica.get('company.changed', companyId)
        if (!company) return undefined
        const spellings = number === null ? [] : spellingsOf(number, company.country ?? null)
        return freezeCompanyAndNumber(company, fresh(() => spellings.map(spelling => numbers.get(numberKey(companyId, spelling))).find(known => known !== undefined)) ?? null)
      },
      agentRules (agentId) {
        const agent = replica.get('agent.changed', agentId)
        return agent && freezeAgent(agent)
      },
      companyName: companyId => replica.get('company.changed', companyId)?.name,
      agentName: agentId => replica.get('agent.changed', agentId)?.name,
    },
  }
}
