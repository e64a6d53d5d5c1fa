import type { Agent, Company, Direction, InheritedAccess, InheritedSwitch, PhoneNumber } from '@tacet/contracts'

export const everywhere = <Value>(value: Value): Record<Direction, Value> => ({ inbound: value, outbound: value, internal: value })

const companyId = 'c0000000-0000-4000-8000-000000000001'

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

export const number = (recording: InheritedSwitch = 'inherit', agentInitiatedPause: InheritedAccess = 'inherit'): PhoneNumber => ({
  numberId: 'd0000000-0000-4000-8000-000000000001',
  companyId,
  version: 2,
  number: '+420123456789',
  label: 'Sales',
  recording: everywhere(recording),
  agentInitiatedPause,
})

export const agent = (recording: InheritedSwitch = 'inherit', agentInitiatedPause: InheritedAccess = 'inherit'): Agent => ({
  agentId: 'a0000000-0000-4000-8000-000000000001',
  companyId,
  version: 3,
  name: 'Alice',
  endpoints: ['PJSIP/1001'],
  roles: ['agent'],
  recording: everywhere(recording),
  agentInitiatedPause,
})
