import { finishedRecordingSettingsSchema, type AfterLongestPause, type Agent, type Company, type Direction, type FinishedRecordingSettings, type PhoneNumber } from '@tacet/contracts'
import { resolveCall, type CallDecision } from './call.ts'
import type { AgentRules, CompanyRules, NumberRules } from './rules.ts'

/** Calls that were frozen by an earlier version lack these. */
type LaterField = keyof FinishedRecordingSettings | 'longestPauseMs' | 'afterLongestPause'

/** The company's and number's rules as they were when the call was answered: plain JSON, kept in the call. */
export interface FrozenRules {
  company: CompanyRules & Pick<Company, 'companyId' | 'transfers' | 'version'> & Partial<Pick<Company, LaterField>>
  number: NumberRules & Pick<PhoneNumber, 'numberId' | 'number' | 'version'> | null
}

/** An agent's rules as they were when the agent joined the call: plain JSON, kept in the call. */
export type FrozenAgent = AgentRules & Pick<Agent, 'agentId' | 'companyId' | 'version'>

export function freezeCompanyAndNumber (company: Company, number: PhoneNumber | null): FrozenRules {
  const { companyId, version, recording, agentInitiatedPause, locks, transfers, longestPauseMs, afterLongestPause } = company
  const { gaps, minimumLengthMs, retentionDays, recordingChannels, outputFormats } = company
  const later = { gaps, minimumLengthMs, retentionDays, recordingChannels, outputFormats, longestPauseMs, afterLongestPause }
  return structuredClone({
    company: { companyId, version, recording, agentInitiatedPause, locks, transfers, ...given(later) },
    number: number && {
      numberId: number.numberId,
      number: number.number,
      version: number.version,
      recording: number.recording,
      agentInitiatedPause: number.agentInitiatedPause,
    },
  })
}

/** A stored copy from before these settings existed lacks them; an undefined would not survive JSON. */
function given (fields: Partial<Pick<Company, LaterField>>): Partial<Pick<Company, LaterField>> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

/** What happens to a recording that stays stopped for long; null: nothing. */
export function longestPauseOf ({ company }: FrozenRules): { afterMs: number, then: Exclude<AfterLongestPause, 'none'> } | null {
  const { longestPauseMs = 600_000, afterLongestPause = 'none' } = company
  return afterLongestPause === 'none' ? null : { afterMs: longestPauseMs, then: afterLongestPause }
}

/** What assembly is to make of the recording; the defaults where the rules of the call are unknown. */
export const finishedRecordingSettingsOf = (rules: FrozenRules | null): FinishedRecordingSettings =>
  finishedRecordingSettingsSchema.parse(rules?.company ?? {})

export function freezeAgent ({ agentId, companyId, version, recording, agentInitiatedPause }: Agent): FrozenAgent {
  return structuredClone({ agentId, companyId, version, recording, agentInitiatedPause })
}

export interface FrozenCall {
  direction: Direction
  rules: FrozenRules
  /** The agent who asks, or for whom the recording is decided. */
  agent: FrozenAgent
  /** The other agent of an internal call; null otherwise. */
  peer: FrozenAgent | null
}

/** `resolveCall` for a call in progress: later changes of the settings don't reach it. */
export function decide ({ direction, rules, agent, peer }: FrozenCall): CallDecision {
  return resolveCall({ direction, ...rules, agent, peer })
}

/** Which versions of the settings a decision rests on, for the audit log. */
export function versionsOf ({ rules, agent, peer }: Omit<FrozenCall, 'direction'>) {
  return {
    company: rules.company.version,
    number: rules.number?.version ?? null,
    agent: agent.version,
    peer: peer?.version ?? null,
  }
}
