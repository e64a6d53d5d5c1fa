/** A channel as far as calls are concerned. Times are epoch milliseconds. */
export interface Leg {
  channelId: string
  /** Technology and resource, e.g. `PJSIP/1001`. */
  endpoint: string
  linkedId: string
  /** Asterisk's channel state, as far as it matters here. */
  stage: 'down' | 'ringing' | 'up'
  createdAtMs: number
  callerNumber: string | null
  connectedNumber: string | null
  /** What was dialled when the leg came in. */
  dialledNumber: string | null
  sipCallId: string | null
  /** The operator's override, channel variable TACET_NUMBER. */
  numberOverride: string | null
  isWideband: boolean
}

export interface BridgeSnapshot { bridgeId: string, channelIds: readonly string[] }
export interface PbxSnapshot { legs: readonly Leg[], bridges: readonly BridgeSnapshot[] }

/** Recorders and the two halves of a Local channel are not parties of a call. */
const helpers = new Set(['Snoop', 'Local', 'Recorder', 'Announcer', 'Message', 'Surrogate'])
/** Linkedids and unique ids are `[name-]<epoch seconds>.<counter>`; Asterisk lets the oldest win. */
export function compareLinkedIds (one: string, other: string): number {
  const [a, b] = [one, other].map(id => id.slice(id.lastIndexOf('-') + 1).split('.').map(Number))
  return (a?.[0] ?? 0) - (b?.[0] ?? 0) || (a?.[1] ?? 0) - (b?.[1] ?? 0)
}

export const isParty = (leg: Leg): boolean => !helpers.has(leg.endpoint.split('/')[0] ?? '')

/** What we know of the PBX: its legs and who shares a bridge. Fed with events, replaced by a snapshot after a reconnect. */
export interface Pbx {
  see (leg: Leg): void
  forget (channelId: string): void
  /** The bridge's members as the event named them. */
  bridge (bridgeId: string, channelIds: readonly string[]): void
  /**
   * Asterisk gives all legs of a bridge the oldest linkedid, but a leg that was there first shows it only with its own
   * next event. Returns the linkedids that were merged, oldest first; empty when there was nothing to merge.
   */
  mergeLinkedIds (bridgeId: string): string[]
  replace (snapshot: PbxSnapshot): void
  leg (channelId: string): Leg | undefined
  legsOf (linkedIds: readonly string[]): Leg[]
  linkedIds (): Set<string>
  /** Everybody in this leg's bridge, the leg included; empty when it is in none. */
  bridgeMates (channelId: string): readonly string[]
}

export function createPbx (): Pbx {
  const legs = new Map<string, Leg>()
  const byLinkedId = new Map<string, Set<string>>()
  const bridges = new Map<string, readonly string[]>()
  const bridgeOf = new Map<string, string>()

  const unlink = (leg: Leg) => {
    const group = byLinkedId.get(leg.linkedId)
    group?.delete(leg.channelId)
    if (group?.size === 0) byLinkedId.delete(leg.linkedId)
  }

  const pbx: Pbx = {
    see (leg) {
      const known = legs.get(leg.channelId)
      if (known) unlink(known)
      // The extension moves on with the dialplan: what was dialled is what we saw first.
      legs.set(leg.channelId, { ...leg, dialledNumber: known?.dialledNumber ?? leg.dialledNumber })
      const group = byLinkedId.get(leg.linkedId) ?? new Set()
      byLinkedId.set(leg.linkedId, group.add(leg.channelId))
    },
    forget (channelId) {
      const leg = legs.get(channelId)
      if (leg) unlink(leg)
      legs.delete(channelId)
      const bridgeId = bridgeOf.get(channelId)
      if (bridgeId !== undefined) pbx.bridge(bridgeId, (bridges.get(bridgeId) ?? []).filter(id => id !== channelId))
    },
    bridge (bridgeId, channelIds) {
      for (const channelId of bridges.get(bridgeId) ?? []) {
        if (bridgeOf.get(channelId) === bridgeId) bridgeOf.delete(channelId)
      }
      if (channelIds.length === 0) bridges.delete(bridgeId)
      else bridges.set(bridgeId, [...channelIds])
      for (const channelId of channelIds) bridgeOf.set(channelId, bridgeId)
    },
    mergeLinkedIds (bridgeId) {
      const members = (bridges.get(bridgeId) ?? []).flatMap(id => legs.get(id) ?? [])
      const linkedIds = [...new Set(members.map(leg => leg.linkedId))].sort(compareLinkedIds)
      if (linkedIds.length < 2) return []
      for (const leg of members) pbx.see({ ...leg, linkedId: linkedIds[0]! })
      return linkedIds
    },
    replace (snapshot) {
      const dialled = new Map([...legs.values()].map(leg => [leg.channelId, leg.dialledNumber]))
      for (const map of [legs, byLinkedId, bridges, bridgeOf]) map.clear()
      for (const leg of snapshot.legs) pbx.see({ ...leg, dialledNumber: dialled.get(leg.channelId) ?? leg.dialledNumber })
      for (const { bridgeId, channelIds } of snapshot.bridges) pbx.bridge(bridgeId, channelIds)
    },
    leg: channelId => legs.get(channelId),
    legsOf: linkedIds => linkedIds.flatMap(linkedId => [...byLinkedId.get(linkedId) ?? []]).flatMap(id => legs.get(id) ?? []),
    linkedIds: () => new Set(byLinkedId.keys()),
    bridgeMates (channelId) {
      const bridgeId = bridgeOf.get(channelId)
      return bridgeId === undefined ? [] : bridges.get(bridgeId) ?? []
    },
  }
  return pbx
}
