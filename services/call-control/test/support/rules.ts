import type { Agent, Company, Direction, InheritedAccess, InheritedSwitch, PhoneNumber } from '@tacet/contracts'
import { freezeAgent, freezeCompanyAndNumber } from '@tacet/policy'
import type { Principal } from '@tacet/service-kit'
import type { FindOwner } from '../../src/domain/call-view.ts'
import type { SettingsNow } from '../../src/domain/call.ts'

export const everywhere = <Value>(value: Value): Record<Direction, Value> => ({ inbound: value, outbound: value, internal: value })

export const companyId = 'c0000000-0000-4000-8000-000000000001'
export const otherCompanyId = 'c0000000-0000-4000-8000-000000000002'
/** Who owns PJSIP/1001, PJSIP/1002, PJSIP/1003. */
export const anna = 'a0000000-0000-4000-8000-000000001001'
export const ben = 'a0000000-0000-4000-8000-000000001002'
export const cleo = 'a0000000-0000-4000-8000-000000001003'

export const company = (fields: Partial<Company> = {}): Company => ({
  companyId,
  version: 1,
  name: 'Acme',
  timeZone: 'UTC',
  recording: everywhere('on'),
  agentInitiatedPause: 'allow',
  locks: { recording: false, agentInitiatedPause: false },
  transfers: 'stop',
  gaps: 'remove',
  longestPauseMs: 600_000,
  afterLongestPause: 'none',
  retentionDays: null,
  minimumLengthMs: 0,
  recordingChannels: 'mono',
  outputFormats: [],
  country: null,
  ...fields,
})

export const phoneNumber = (number: string, recording: InheritedSwitch = 'inherit', agentInitiatedPause: InheritedAccess = 'inherit'): PhoneNumber =>
  ({ numberId: 'd0000000-0000-4000-8000-000000000001', companyId, version: 2, number, label: '', recording: everywhere(recording), agentInitiatedPause })

export const agent = (agentId: string, fields: Partial<Agent> = {}): Agent => ({
  agentId,
  companyId,
  version: 3,
  name: 'Somebody',
  endpoints: [`PJSIP/${agentId.slice(-4)}`],
  roles: ['agent'],
  recording: everywhere('inherit'),
  agentInitiatedPause: 'inherit',
  ...fields,
})

export interface Settings { company?: Company, numbers?: PhoneNumber[], agents?: Agent[] }

/** The settings as call-control sees them. */
export function createSettings ({ company: theCompany = company(), numbers = [], agents = [anna, ben, cleo].map(agentId => agent(agentId)) }: Settings = {}): { settings: SettingsNow, findOwner: FindOwner } {
  return {
    findOwner: endpoint => agents.find(({ endpoints }) => endpoints.includes(endpoint)),
    settings: {
      rulesFor: (id, number) => id === theCompany.companyId ? freezeCompanyAndNumber(theCompany, numbers.find(known => known.number === number) ?? null) : undefined,
      agentRules: agentId => {
        const found = agents.find(candidate => candidate.agentId === agentId)
        return found && freezeAgent(found)
      },
      companyName: id => id === theCompany.companyId ? theCompany.name : undefined,
      agentName: agentId => agents.find(candidate => candidate.agentId === agentId)?.name,
    },
  }
}

const credentialOf = (agentId: string) => agentId.replace(/^a/, 'e')

export const asAgent = (agentId: string): Principal => ({ credentialId: credentialOf(agentId), companyId, agentId, roles: ['agent'], kind: 'api-token' })
export const asSupervisor: Principal = { credentialId: 'e0000000-0000-4000-8000-00000000aaaa', companyId, agentId: null, roles: ['supervisor'], kind: 'api-token' }
export const asMachine: Principal = { credentialId: 'e0000000-0000-4000-8000-00000000bbbb', companyId, agentId: null, roles: ['service'], scopes: ['calls:read', 'recordings:control'], kind: 'api-token' }
export const asStranger: Principal = { ...asSupervisor, credentialId: 'e0000000-0000-4000-8000-00000000cccc', companyId: otherCompanyId }
