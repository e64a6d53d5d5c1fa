import { viewCall, type FindOwner } from '../domain/call-view.ts'
import { newCall, type Call, type CallInput, type SettingsNow } from '../domain/call.ts'
import { createPbx, type Leg, type PbxSnapshot } from '../domain/pbx.ts'
import { byPolicy } from '../domain/recording.ts'
import type { CallSession } from './call-session.ts'

export interface FollowOptions {
  pbxId: string
  clock: () => number
  callIdOf: (linkedId: string) => string
  findOwner: FindOwner
  settings: SettingsNow
  openSession: (call: Call, revision: number) => CallSession
}

/** What intake makes of an ARI event. */
export type PbxChange =
  | { type: 'leg-seen', leg: Leg }
  | { type: 'leg-gone', channelId: string }
  | { type: 'bridge', bridgeId: string, channelIds: readonly string[], leg?: Leg }
  | { type: 'held' | 'unheld', leg: Leg }
  | { type: 'transferred', kind: 'blind' | 'attended', byChannelIds: string[], to: string | null }

/** Follows every call on the PBX: keeps the picture of it, and shows each call what concerns it. */
export function createCallFollower (options: FollowOptions) {
  const { pbxId, callIdOf, findOwner, settings, openSession } = options
  const pbx = createPbx()
  const sessions = new Map<string, CallSession>()
  const callIds = new Map<string, string>()
  let isCatchUp = false
  /** Of the change in hand: what is seen late did not happen late. */
  let happenedAtMs: number | undefined
  const clock = () => happenedAtMs ?? options.clock()

  const sessionOf = (linkedId: string | undefined): CallSession | undefined =>
    linkedId === undefined ? undefined : sessions.get(callIds.get(linkedId) ?? '')

  function adopt (call: Call, revision: number): CallSession {
    const session = openSession(call, revision)
    sessions.set(call.callId, session)
    for (const linkedId of call.linkedIds) callIds.set(linkedId, call.callId)
    return session
  }

  /** Level, not edge: whatever happened, the call is shown how things are now. */
  function observe (linkedId: string): void {
    const session = sessionOf(linkedId)
    const atMs = clock()
    if (session) {
      const { linkedIds, companyId, direction, answeredAtMs } = session.call
      const view = viewCall(pbx, linkedIds, findOwner, { companyId, direction: answeredAtMs === null ? null : direction })
      session.dispatch(view ? { type: 'observed', atMs, view, settings, isCatchUp } : { type: 'gone', atMs })
      return
    }
    const view = viewCall(pbx, [linkedId], findOwner)
    if (!view || !view.isRinging || view.legIds.length < 2 || callIds.has(linkedId)) return
    adopt(newCall(callIdOf(linkedId), pbxId, linkedId, view, atMs), 0).dispatch({ type: 'observed', atMs, view, settings, isCatchUp })
  }

  /** Two linkedids turned out to be one call: the one with the customer goes on, the other ends as transferred. */
  function merge (linkedIds: string[]): void {
    const known = [...new Set(linkedIds.flatMap(linkedId => sessionOf(linkedId) ?? []))]
    const main = known.find(session => session.call.direction !== 'internal') ?? known[0]
    if (!main) return
    const atMs = clock()
    for (const other of known.filter(session => session !== main)) {
      inheritSilence(main, other.call, atMs)
      for (const linkedId of other.call.linkedIds) join(main, linkedId, other.call.callId)
      other.dispatch({ type: 'transferred', atMs, kind: 'attended', byChannelId: null, to: null })
      other.dispatch({ type: 'gone', atMs, reason: 'transfer' })
    }
    for (const linkedId of linkedIds) join(main, linkedId, null)
  }

  /** What one customer was promised holds where they are now. A consultation had no customer. */
  function inheritSilence (main: CallSession, { direction, recording: { reasons } }: Call, atMs: number): void {
    if (direction === 'internal') return
    for (const reason of reasons.filter(reason => reason !== 'policy')) main.dispatch({ type: 'recording', input: { type: 'silence', atMs, reason, cause: byPolicy } })
  }

  function join (main: CallSession, linkedId: string, alias: string | null): void {
    callIds.set(linkedId, main.call.callId)
    main.dispatch({ type: 'joined', atMs: clock(), linkedId, alias })
  }

  function transferred ({ kind, byChannelIds, to }: Extract<PbxChange, { type: 'transferred' }>): void {
    const concerned = [...new Set(byChannelIds.flatMap(id => sessionOf(pbx.leg(id)?.linkedId) ?? []))]
    const main = concerned.find(session => session.call.direction !== 'internal') ?? concerned[0]
    const byChannelId = byChannelIds.find(id => main?.call.participants.some(participant => participant.channelId === id)) ?? null
    main?.dispatch({ type: 'transferred', atMs: clock(), kind, byChannelId, to } satisfies CallInput)
  }

  function see (leg: Leg): void {
    const before = pbx.leg(leg.channelId)?.linkedId
    pbx.see(leg)
    if (before !== undefined && before !== leg.linkedId) merge([leg.linkedId, before])
  }

  function take (change: PbxChange): void {
    switch (change.type) {
      case 'leg-seen':
        see(change.leg)
        return observe(change.leg.linkedId)
      case 'leg-gone': {
        const linkedId = pbx.leg(change.channelId)?.linkedId
        pbx.forget(change.channelId)
        return linkedId === undefined ? undefined : observe(linkedId)
      }
      case 'bridge': {
        if (change.leg) see(change.leg)
        pbx.bridge(change.bridgeId, change.channelIds)
        merge(pbx.mergeLinkedIds(change.bridgeId))
        for (const linkedId of new Set([change.leg?.linkedId, ...change.channelIds.map(id => pbx.leg(id)?.linkedId)])) {
          if (linkedId !== undefined) observe(linkedId)
        }
        return
      }
      case 'held': case 'unheld':
        return sessionOf(change.leg.linkedId)?.dispatch({ type: change.type, atMs: clock(), channelId: change.leg.channelId })
      case 'transferred':
        return transferred(change)
    }
  }

  return {
    pbx,
    adopt,
    apply (change: PbxChange, atMs?: number): void {
      happenedAtMs = atMs
      try {
        take(change)
      } finally {
        happenedAtMs = undefined
      }
    },
    /** After a reconnect: the picture is replaced, and every call shown what it missed. */
    replace (snapshot: PbxSnapshot): void {
      isCatchUp = true
      try {
        pbx.replace(snapshot)
        for (const { bridgeId } of snapshot.bridges) merge(pbx.mergeLinkedIds(bridgeId))
        const known = [...sessions.values()].flatMap(session => session.call.linkedIds)
        for (const linkedId of new Set([...known, ...pbx.linkedIds()])) observe(linkedId)
      } finally {
        isCatchUp = false
      }
    },
    /** Time passes: calls that wait for something look again, calls that are over are let go. Returns who went. */
    tick (isKept: (session: CallSession) => boolean): string[] {
      const forgotten: string[] = []
      for (const [callId, session] of sessions) {
        if (session.call.agentlessSinceMs !== null) observe(session.call.linkedIds[0] ?? '')
        if (!session.isFinished || isKept(session)) continue
        session.close()
        sessions.delete(callId)
        forgotten.push(callId)
        for (const linkedId of session.call.linkedIds) if (callIds.get(linkedId) === callId) callIds.delete(linkedId)
      }
      return forgotten
    },
    session: (callId: string) => sessions.get(callId),
    sessions: () => [...sessions.values()],
    close (): void {
      for (const session of sessions.values()) session.close()
      sessions.clear()
      callIds.clear()
    },
  }
}

export type CallFollower = ReturnType<typeof createCallFollower>
