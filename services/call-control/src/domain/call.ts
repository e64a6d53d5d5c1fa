import type { CallEventType, Direction, RecordingState, SampleRateHz, TrackName } from '@tacet/contracts'
import type { FrozenAgent, FrozenRules } from '@tacet/policy'
import type { CallView } from './call-view.ts'
import type { LateStart } from './late-start.ts'
import type { LongPause } from './longest-pause.ts'
import { newRecording, type Recording, type RecordingEffect, type RecordingInput } from './recording.ts'

/** An agent's part in a call; rules are frozen when the agent joins. */
export interface Participant {
  agentId: string
  /** As it was when they joined; their rules hold nothing personal. */
  name?: string
  endpoint: string
  channelId: string
  joinedAtMs: number | null
  leftAtMs: number | null
  isOnHold: boolean
  /** They were seen to transfer the call: that they go is no news. */
  hasTransferred?: true
  rules: FrozenAgent | null
}

/** Everything call-control keeps of a call: plain JSON, stored whole at every change. */
export interface Call {
  callId: string
  aliases: string[]
  pbxId: string
  companyId: string
  /** As it was when the call was answered. */
  companyName?: string
  linkedIds: string[]
  direction: Direction
  number: string | null
  customer: string | null
  sipCallIds: string[]
  startedAtMs: number
  answeredAtMs: number | null
  endedAtMs: number | null
  /** Since when no agent is in the call though it goes on. */
  agentlessSinceMs: number | null
  isTransferred: boolean
  /** Agents went while nobody watched, and nobody knows yet whether they hung up or transferred. */
  isLeftUnseen?: boolean
  recordedLegId: string | null
  /** The agent's own leg, where a recorder listens while another call of theirs is paused (docs/adr/0013). */
  ownLegId?: string | null
  tracks: TrackName[]
  sampleRateHz: SampleRateHz
  participants: Participant[]
  rules: FrozenRules | null
  recording: Recording
  /** Of the call's last event. */
  seq: number
  /** Of the last event that changed the recording. */
  recordingSeq: number
  /** While an agent keeps the recording silent and the company has a say in for how long. */
  longPause?: LongPause | null
  /** While the rules want a recorder that is not there. */
  lateStart?: LateStart | null
}

/** The settings in force at this moment, from which a call freezes its own. */
export interface SettingsNow {
  rulesFor: (companyId: string, number: string | null) => FrozenRules | undefined
  agentRules: (agentId: string) => FrozenAgent | undefined
  companyName: (companyId: string) => string | undefined
  agentName: (agentId: string) => string | undefined
}

export type CallInput =
  /** The PBX shows the call like this. `isCatchUp`: we had not been watching. */
  | { type: 'observed', atMs: number, view: CallView, settings: SettingsNow, isCatchUp: boolean }
  | { type: 'held' | 'unheld', atMs: number, channelId: string }
  | { type: 'transferred', atMs: number, kind: 'blind' | 'attended', byChannelId: string | null, to: string | null }
  /** Another call of an agent in this one is paused, or no longer: from which leg recorders may listen, null for any. */
  | { type: 'guarded', atMs: number, legId: string | null }
  /** Another linkedid turned out to be this call. */
  | { type: 'joined', atMs: number, linkedId: string, alias: string | null }
  /** No leg is left, or they all went over to another call. */
  | { type: 'gone', atMs: number, reason?: 'transfer' }
  /** So late is it: a pause may have become too long, a recorder be missing. `commandId` is for what comes of it. */
  | { type: 'time-passed', atMs: number, commandId: string }
  | { type: 'recording', input: RecordingInput }

/** An event of the call, numbered; the shell adds the id and what all events carry. */
export interface CallEvent { type: CallEventType, seq: number, atMs: number, data: Record<string, unknown> }

export interface CallTransition { call: Call, events: CallEvent[], effects: RecordingEffect[], ignored?: string }

export function newCall (callId: string, pbxId: string, linkedId: string, view: CallView, atMs: number): Call {
  return {
    callId,
    aliases: [],
    pbxId,
    companyId: view.companyId,
    linkedIds: [linkedId],
    direction: view.direction,
    number: view.number,
    customer: view.customer,
    sipCallIds: view.sipCallIds,
    startedAtMs: view.startedAtMs,
    answeredAtMs: null,
    endedAtMs: null,
    agentlessSinceMs: null,
    isTransferred: false,
    recordedLegId: view.recordedLegId,
    tracks: ['mix'],
    sampleRateHz: 8000,
    participants: [],
    rules: null,
    recording: newRecording(atMs),
    seq: 0,
    recordingSeq: 0,
  }
}

export const recorderId = (call: Pick<Call, 'callId'>, segment: number, track: TrackName): string =>
  `tacet-${call.callId}-${segment}${track === 'mix' ? '' : `-${track}`}`

export const isRecorderOf = ({ callId }: Pick<Call, 'callId'>, id: string): boolean => id.startsWith(`tacet-${callId}-`)

export const isOver = (call: Call): boolean => call.endedAtMs !== null && call.recording.phase.status === 'ended'

export const joinedAgents = (call: Call): Participant[] =>
  call.participants.filter(participant => participant.joinedAtMs !== null && participant.leftAtMs === null)

export const publicState = ({ phase }: Recording): RecordingState => phase.status === 'ending' ? 'ended' : phase.status

export const isPauseOverdue = ({ longPause }: Call): boolean => longPause?.isOverdue === true
