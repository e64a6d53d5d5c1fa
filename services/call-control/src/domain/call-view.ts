import type { Direction } from '@tacet/contracts'
import { isParty, type Leg, type Pbx } from './pbx.ts'

export interface EndpointOwner { agentId: string, companyId: string }
export type FindOwner = (endpoint: string) => EndpointOwner | undefined

export interface AgentView { agentId: string, endpoint: string, channelId: string, isJoined: boolean }

/** A call as the PBX shows it now, before any rule. */
export interface CallView {
  companyId: string
  direction: Direction
  /** The DID of an inbound call, the caller id that an outbound call presents; null on internal calls. */
  number: string | null
  customer: string | null
  agents: AgentView[]
  legIds: string[]
  /** Where the recorder listens: the leg that is no agent's; on internal calls the caller's. */
  recordedLegId: string | null
  isWideband: boolean
  /** Somebody besides the originator rings or talks. */
  isRinging: boolean
  isAnswered: boolean
  sipCallIds: string[]
  startedAtMs: number
  /** When the first leg of an agent who is in the call began to ring: the call can't have been answered before. */
  agentSinceMs: number
}

/** What a call we know keeps, whoever is left in it; its direction only once it is answered. */
export interface KnownCall { companyId: string, direction: Direction | null }

/** null: there is no leg, or no agent has to do with these legs, so the call is none of ours. */
export function viewCall (pbx: Pbx, linkedIds: readonly string[], findOwner: FindOwner, known?: KnownCall): CallView | null {
  const all = pbx.legsOf(linkedIds).sort((one, other) => one.createdAtMs - other.createdAtMs || compareIds(one.channelId, other.channelId))
  const parties = all.filter(isParty)
  const originator = parties.find(leg => leg.channelId === linkedIds[0]) ?? parties[0]
  if (!originator) return null
  const owners = new Map(parties.flatMap(leg => {
    const owner = findOwner(leg.endpoint)
    return owner ? [[leg.channelId, owner] as const] : []
  }))
  const companyId = known?.companyId ?? owners.get(originator.channelId)?.companyId ?? firstOf(parties, owners, leg => isJoined(pbx, leg)) ?? firstOf(parties, owners, () => true)
  if (companyId === undefined) return null

  const agentLegs = parties.filter(leg => owners.get(leg.channelId)?.companyId === companyId)
  const others = parties.filter(leg => !agentLegs.includes(leg))
  const direction = known?.direction ?? directionOf(originator, agentLegs, others)
  const customerLeg = others.find(leg => leg.stage === 'up') ?? others[0]
  // At a hangup the legs go one by one: who is left behind alone is no new party to record.
  const isCaller = originator.channelId === linkedIds[0] || isJoined(pbx, originator)
  const recorded = direction !== 'internal' ? others.find(leg => isJoined(pbx, leg)) : isCaller ? originator : undefined
  return {
    companyId,
    direction,
    number: numberOf(direction, originator, customerLeg),
    customer: direction === 'internal' ? null : customerLeg?.callerNumber ?? originator.dialledNumber,
    agents: agentLegs.map(leg => ({ agentId: owners.get(leg.channelId)!.agentId, endpoint: leg.endpoint, channelId: leg.channelId, isJoined: isJoined(pbx, leg) })),
    legIds: parties.map(leg => leg.channelId),
    recordedLegId: recorded?.channelId ?? null,
    isWideband: recorded?.isWideband ?? false,
    isRinging: parties.some(leg => leg !== originator && leg.stage !== 'down'),
    isAnswered: recorded !== undefined && agentLegs.some(leg => isJoined(pbx, leg)),
    sipCallIds: parties.flatMap(leg => leg.sipCallId ?? []),
    startedAtMs: originator.createdAtMs,
    agentSinceMs: Math.min(...agentLegs.filter(leg => isJoined(pbx, leg)).map(leg => leg.createdAtMs), Number.MAX_SAFE_INTEGER),
  }
}

const compareIds = (one: string, other: string) => one < other ? -1 : one > other ? 1 : 0

/** An IVR or Queue() answers before anybody is there: joined is who shares a bridge with somebody. */
const isJoined = (pbx: Pbx, leg: Leg): boolean => leg.stage === 'up' && pbx.bridgeMates(leg.channelId).length > 1

function firstOf (legs: Leg[], owners: Map<string, EndpointOwner>, suits: (leg: Leg) => boolean): string | undefined {
  const leg = legs.find(candidate => owners.has(candidate.channelId) && suits(candidate))
  return leg && owners.get(leg.channelId)!.companyId
}

function directionOf (originator: Leg, agentLegs: Leg[], others: Leg[]): Direction {
  if (!agentLegs.includes(originator)) return 'inbound'
  return others.length === 0 ? 'internal' : 'outbound'
}

function numberOf (direction: Direction, originator: Leg, customerLeg: Leg | undefined): string | null {
  if (originator.numberOverride) return originator.numberOverride
  switch (direction) {
    case 'inbound': return originator.dialledNumber
    case 'outbound': return customerLeg?.numberOverride ?? customerLeg?.connectedNumber ?? originator.callerNumber
    case 'internal': return null
  }
}
