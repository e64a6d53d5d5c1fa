import { decide, versionsOf, type CallDecision, type FrozenAgent, type FrozenCall } from '@tacet/policy'
import type { CallEventType, Direction } from '@tacet/contracts'
import { isOver, joinedAgents, publicState, type Call, type CallEvent, type CallInput, type CallTransition, type Participant, type SettingsNow } from './call.ts'
import type { AgentView, CallView } from './call-view.ts'
import { isDueAgain, isMissing, lateStartOf } from './late-start.ts'
import { clockOf, overdue } from './longest-pause.ts'
import { manifestOf, segmentOf, tracksOf } from './manifest.ts'
import { missedTransfer } from './missed-transfer.ts'
import { transition } from './recording-machine.ts'
import { byPolicy, type RecordingEvent, type RecordingInput } from './recording.ts'

type InputOf<T extends CallInput['type']> = Extract<CallInput, { type: T }>

/** A call without an agent goes on for this long before its recording ends: time for a transfer to show itself. */
export const agentlessGraceMs = 3000

/** What an input makes of a call: pure, total, silent once the call is over. */
export function evolve (before: Call, input: CallInput): CallTransition {
  if (isOver(before)) return { call: before, events: [], effects: [], ignored: 'the call is over' }
  if (before.endedAtMs !== null && input.type !== 'recording') return { call: before, events: [], effects: [], ignored: 'the call has ended' }
  const draft = createDraft(before)
  switch (input.type) {
    case 'observed': observe(draft, input); break
    case 'held': case 'unheld': hold(draft, input); break
    case 'transferred': transferred(draft, input); break
    case 'guarded': guard(draft, input.legId, input.atMs); break
    case 'joined': joined(draft, input); break
    case 'gone': gone(draft, input); break
    case 'time-passed': passTime(draft, input); break
    case 'recording': draft.record(input.input); break
  }
  return draft.result(input.type === 'recording' ? input.input.atMs : input.atMs)
}

/** Collects what one input does to a call; the call it was made from is never changed. */
interface Draft {
  call: Call
  emit: (type: CallEventType, atMs: number, data: Record<string, unknown>) => void
  record: (input: RecordingInput) => void
  result: (atMs: number) => CallTransition
}

function createDraft (before: Call): Draft {
  const result: CallTransition = { call: before, events: [], effects: [] }
  const draft: Draft = {
    call: before,
    emit (type, atMs, data) {
      const seq = draft.call.seq + 1
      draft.call = { ...draft.call, seq }
      result.events.push({ type, seq, atMs, data } satisfies CallEvent)
    },
    record (input) {
      const { recording, events, effects, ignored } = transition(draft.call.recording, input)
      draft.call = { ...draft.call, recording }
      for (const event of events) {
        draft.emit(event.type, event.atMs, recordingEventData(draft.call, event))
        draft.call = { ...draft.call, recordingSeq: draft.call.seq }
      }
      result.effects.push(...effects)
      if (ignored !== undefined) result.ignored = ignored
    },
    result (atMs) {
      const { longPause = null, lateStart = null } = draft.call
      const clocks = { longPause: clockOf(draft.call, atMs), lateStart: lateStartOf(draft.call, atMs) }
      const isSame = clocks.longPause === longPause && clocks.lateStart === lateStart
      return { ...result, call: isSame ? draft.call : { ...draft.call, ...clocks } }
    },
  }
  return draft
}

function observe (draft: Draft, { atMs, view, settings, isCatchUp }: InputOf<'observed'>): void {
  const isNew = draft.call.seq === 0
  const wasAnswered = draft.call.answeredAtMs !== null
  if (wasAnswered) catchUp(draft, view, atMs, isCatchUp)
  if (!wasAnswered && view.legIds.length > 1) draft.call = { ...draft.call, direction: view.direction, number: view.number, customer: view.customer ?? draft.call.customer }
  draft.call = { ...draft.call, sipCallIds: [...new Set([...draft.call.sipCallIds, ...view.sipCallIds])] }
  seeAgents(draft, view.agents)
  if (isNew) draft.emit('call.ringing', atMs, parties(draft.call))
  if (!wasAnswered && view.isAnswered) answer(draft, view, settings, atMs, isCatchUp)
  if (wasAnswered) admit(draft, view.agents, settings, atMs)
  dismiss(draft, view.agents, atMs)
  if (wasAnswered) followLeg(draft, view, atMs)
}

function catchUp (draft: Draft, view: CallView, atMs: number, isCatchUp: boolean): void {
  const missed = missedTransfer(draft.call, view, isCatchUp)
  if (missed === 'none') return
  draft.call = { ...draft.call, isLeftUnseen: missed === 'unclear' }
  // Only an attended one makes one call of two.
  const kind = draft.call.linkedIds.length > 1 ? 'attended' : 'blind'
  if (missed === 'transferred') transferred(draft, { type: 'transferred', atMs, kind, byChannelId: null, to: null })
}

/** Rings of agents who never join are kept too: they may see the call while it rings. */
function seeAgents (draft: Draft, agents: AgentView[]): void {
  const known = new Set(draft.call.participants.map(participant => participant.channelId))
  const fresh = agents.filter(agent => !known.has(agent.channelId)).map(({ agentId, endpoint, channelId }): Participant =>
    ({ agentId, endpoint, channelId, joinedAtMs: null, leftAtMs: null, isOnHold: false, rules: null }))
  if (fresh.length > 0) draft.call = { ...draft.call, participants: [...draft.call.participants, ...fresh] }
}

function answer (draft: Draft, view: CallView, settings: SettingsNow, atMs: number, isCatchUp: boolean): void {
  const rules = settings.rulesFor(view.companyId, view.number)
  const companyName = settings.companyName(view.companyId)
  draft.call = {
    ...draft.call,
    ...(companyName !== undefined && { companyName }),
    answeredAtMs: atMs,
    recordedLegId: view.recordedLegId,
    sampleRateHz: view.isWideband ? 16000 : 8000,
    tracks: rules?.company.recordingChannels === 'stereo' ? ['in', 'out'] : ['mix'],
    rules: rules ?? null,
  }
  draft.emit('call.answered', atMs, parties(draft.call))
  admit(draft, view.agents, settings, atMs)
  const missedSinceMs = isCatchUp ? { missedSinceMs: Math.min(view.agentSinceMs, atMs) } : {}
  if (isToBeRecorded(draft.call)) draft.record({ type: 'start', atMs, cause: byPolicy, ...missedSinceMs })
  else draft.record({ type: 'stay-off', atMs })
}

function admit (draft: Draft, agents: AgentView[], settings: SettingsNow, atMs: number): void {
  for (const { agentId, endpoint, channelId, isJoined } of agents) {
    const participant = draft.call.participants.find(candidate => candidate.channelId === channelId)
    if (!isJoined || !participant || participant.joinedAtMs !== null) continue
    const name = settings.agentName(agentId)
    updateParticipant(draft, channelId, { joinedAtMs: atMs, ...(name !== undefined && { name }), rules: settings.agentRules(agentId) ?? null })
    draft.emit('call.agent-joined', atMs, { agentId, endpoint })
  }
}

/** An agent has left when the leg is gone: Local channel optimisation takes it out of the bridge for a moment. */
function dismiss (draft: Draft, agents: AgentView[], atMs: number): void {
  const present = new Set(agents.map(agent => agent.channelId))
  for (const { agentId, endpoint, channelId, joinedAtMs, leftAtMs } of draft.call.participants) {
    if (leftAtMs !== null || present.has(channelId)) continue
    updateParticipant(draft, channelId, { leftAtMs: atMs })
    if (joinedAtMs !== null) draft.emit('call.agent-left', atMs, { agentId, endpoint })
  }
}

function followLeg (draft: Draft, view: CallView, atMs: number): void {
  const { call } = draft
  if (isFinished(call)) return
  if (view.agents.length > 0 || call.isTransferred) draft.call = { ...call, agentlessSinceMs: null }
  else if (call.agentlessSinceMs === null) draft.call = { ...call, agentlessSinceMs: atMs }
  else if (atMs - call.agentlessSinceMs >= agentlessGraceMs) return draft.record({ type: 'end', atMs, reason: 'hangup' })

  if (call.ownLegId && !view.legIds.includes(call.ownLegId)) leaveOwnLeg(draft, atMs)
  if (view.legIds.includes(call.recordedLegId ?? '')) return
  if (view.recordedLegId === null) return draft.record({ type: 'end', atMs, reason: 'hangup' })
  draft.call = { ...draft.call, recordedLegId: view.recordedLegId }
  const { phase } = draft.call.recording
  if ('segment' in phase) draft.record({ type: 'recorder-lost', atMs, segment: phase.segment.number, isExplained: true })
}

/** From now on recorders listen there; one that listens elsewhere is replaced, as after a transfer. */
function guard (draft: Draft, legId: string | null, atMs: number): void {
  draft.call = { ...draft.call, ownLegId: legId }
  if (legId !== null) replaceRecorder(draft, atMs)
}

function leaveOwnLeg (draft: Draft, atMs: number): void {
  draft.call = { ...draft.call, ownLegId: null }
  replaceRecorder(draft, atMs)
}

/** The shell lifts this silence once the recorder is gone, if nothing else speaks against it. */
function replaceRecorder (draft: Draft, atMs: number): void {
  const { status } = draft.call.recording.phase
  if (status === 'recording' || status === 'starting' || status === 'resuming') draft.record({ type: 'silence', atMs, reason: 'policy', cause: byPolicy })
}

function hold (draft: Draft, { type, atMs, channelId }: InputOf<'held' | 'unheld'>): void {
  const participant = draft.call.participants.find(candidate => candidate.channelId === channelId)
  const isOnHold = type === 'held'
  // Asterisk says Unhold before every transfer, held or not.
  if (participant ? participant.isOnHold === isOnHold : channelId !== draft.call.recordedLegId) return
  if (participant) updateParticipant(draft, channelId, { isOnHold })
  draft.emit(isOnHold ? 'call.held' : 'call.unheld', atMs, { agentId: participant?.agentId ?? null })
}

function transferred (draft: Draft, { atMs, kind, byChannelId, to }: InputOf<'transferred'>): void {
  if (draft.call.answeredAtMs === null) return
  const by = draft.call.participants.find(participant => participant.channelId === byChannelId)
  draft.call = { ...draft.call, isTransferred: true, isLeftUnseen: false }
  if (by) updateParticipant(draft, by.channelId, { hasTransferred: true })
  draft.emit('call.transferred', atMs, { kind, byAgentId: by?.agentId ?? null, to })
  if (!transfersContinue(draft.call)) return draft.record({ type: 'end', atMs, reason: 'transfer' })
  // Another phone's stream may begin at a lower sequence number, and then Debian's Asterisk hides it from a recorder
  // that heard the first (docs/adr/0003): the recorder is replaced.
  if (draft.call.ownLegId) leaveOwnLeg(draft, atMs)
  else if (draft.call.recording.phase.status !== 'resuming') replaceRecorder(draft, atMs)
}

function joined (draft: Draft, { atMs, linkedId, alias }: InputOf<'joined'>): void {
  if (draft.call.linkedIds.includes(linkedId)) return
  const aliases = alias === null ? draft.call.aliases : [...draft.call.aliases, alias]
  draft.call = { ...draft.call, linkedIds: [...draft.call.linkedIds, linkedId], aliases }
  if (alias !== null) draft.emit('call.joined', atMs, { alias })
}

function gone (draft: Draft, { atMs, reason: given }: InputOf<'gone'>): void {
  if (draft.call.endedAtMs !== null) return
  dismiss(draft, [], atMs)
  draft.call = { ...draft.call, endedAtMs: atMs }
  const reason = given ?? (draft.call.isTransferred && !transfersContinue(draft.call) ? 'transfer' : 'hangup')
  draft.emit('call.ended', atMs, { reason })
  draft.record({ type: 'end', atMs, reason })
}

function passTime (draft: Draft, input: InputOf<'time-passed'>): void {
  if (isMissing(draft.call, input.atMs)) missRecorder(draft, input.atMs)
  if (isDueAgain(draft.call, input.atMs)) draft.record({ type: 'start', atMs: input.atMs, cause: byPolicy })
  endLongPause(draft, input)
}

/** Says so while the start goes on being tried. */
function missRecorder (draft: Draft, atMs: number): void {
  const { recording, callId, lateStart } = draft.call
  if (!lateStart) return
  draft.call = { ...draft.call, lateStart: { ...lateStart, isTold: true } }
  draft.emit('recording.missing', atMs, { recordingId: callId, state: publicState(recording), reasons: recording.reasons, detail: `no recorder ${atMs - lateStart.sinceMs} ms after it was wanted` })
}

/** Lifts what the agent holds, and only that; or says that somebody should remind them. */
function endLongPause (draft: Draft, { atMs, commandId }: InputOf<'time-passed'>): void {
  const due = overdue(draft.call, atMs)
  if (!due) return
  draft.call = { ...draft.call, longPause: due.longPause }
  if (due.then === 'resume') return draft.record({ type: 'lift', atMs, reason: 'agent', cause: { commandId, by: { kind: 'machine', agentId: null, credentialId: null } } })
  const { recording, callId } = draft.call
  const pausedSince = new Date(due.longPause.sinceMs).toISOString()
  draft.emit('recording.pause-overdue', atMs, { recordingId: callId, state: publicState(recording), reasons: recording.reasons, pausedSince, longestPauseMs: due.longestPauseMs })
  draft.call = { ...draft.call, recordingSeq: draft.call.seq }
}

const transfersContinue = (call: Call) => call.rules?.company.transfers === 'continue'
const isFinished = (call: Call) => call.recording.phase.status === 'ending' || call.recording.phase.status === 'ended'

/** The rules as the call froze them, for one agent in it; undefined when the agent's rules are unknown. Of several at the other end, whoever has the strictest decides. */
export function decideFor (call: Call, agentId: string): CallDecision | undefined {
  const decisions = frozenFor(call, agentId).map(decide)
  return decisions.find(({ pause }) => pause.refusal !== null) ?? decisions[0]
}

/** In which versions those rules are. */
export const ruleVersionsFor = (call: Call, agentId: string): ReturnType<typeof versionsOf>[] => frozenFor(call, agentId).map(versionsOf)

function frozenFor (call: Call, agentId: string): FrozenCall[] {
  const { direction, rules } = call
  const agent = rulesOf(call, agentId)
  if (!agent || !rules) return []
  const peers = direction === 'internal' ? peersOf(call, agentId) : []
  return (peers.length > 0 ? peers : [null]).map(peer => ({ direction, rules, agent, peer: peer === null ? null : rulesOf(call, peer) }))
}

/** Who is at the other end now; while nobody is, who was there last. */
function peersOf (call: Call, agentId: string): string[] {
  const others = call.participants.filter(participant => participant.agentId !== agentId && participant.joinedAtMs !== null)
  const present = others.filter(({ leftAtMs }) => leftAtMs === null)
  return [...new Set((present.length > 0 ? present : others.slice(-1)).map(participant => participant.agentId))]
}

/** Of an agent who comes back, those of the last time. */
const rulesOf = (call: Call, agentId: string): FrozenAgent | null =>
  call.participants.findLast(participant => participant.agentId === agentId && participant.rules !== null)?.rules ?? null

function isToBeRecorded (call: Call): boolean {
  const first = joinedAgents(call)[0]
  return first !== undefined && decideFor(call, first.agentId)?.recording.isRecorded === true
}

function updateParticipant (draft: Draft, channelId: string, change: Partial<Participant>): void {
  draft.call = {
    ...draft.call,
    participants: draft.call.participants.map(participant => participant.channelId === channelId ? { ...participant, ...change } : participant),
  }
}

const parties = ({ direction, number, customer, participants, sipCallIds }: Call): Record<string, unknown> & { direction: Direction } =>
  ({ direction, number, customer, agentIds: [...new Set(participants.map(participant => participant.agentId))], sipCallIds })

function recordingEventData (call: Call, event: RecordingEvent): Record<string, unknown> {
  const { recording, callId } = call
  const ofRecording = { recordingId: callId, state: publicState(recording), reasons: recording.reasons }
  switch (event.type) {
    case 'segment.opened': return { recordingId: callId, segment: event.segment, tracks: tracksOf(call, event.segment) }
    case 'segment.closed': return { recordingId: callId, segment: segmentOf(call, event.segment) }
    case 'recording.started': case 'recording.resumed': return { ...ofRecording, ...event.cause, segment: event.segment }
    case 'recording.paused': case 'recording.reasons-changed': case 'recording.unconfirmed': return { ...ofRecording, ...event.cause }
    case 'recording.missing': return { ...ofRecording, detail: event.detail }
    case 'recording.ended': return { ...ofRecording, endReason: event.reason, manifest: manifestOf(call, event.atMs, event.reason) }
  }
}
