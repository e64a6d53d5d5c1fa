import type { Access, Agent, Company, Direction, PhoneNumber, Switch } from '@tacet/contracts'
import { resolveLevels, type DecisionOf } from './decision.ts'

export type CompanyRules = Pick<Company, 'recording' | 'agentInitiatedPause' | 'locks'>
export type NumberRules = Pick<PhoneNumber, 'recording' | 'agentInitiatedPause'>
export type AgentRules = Pick<Agent, 'recording' | 'agentInitiatedPause'>

export interface Rules {
  company: CompanyRules
  number: NumberRules | null
  agent: AgentRules
}

/** Whether a call in this direction is recorded, as far as this one agent is concerned. */
export function resolveRecording ({ company, number, agent, direction }: Rules & { direction: Direction }): DecisionOf<Switch> {
  return resolveLevels({
    company: { value: company.recording[direction], isLocked: company.locks.recording },
    number: number === null ? null : number.recording[direction],
    agent: agent.recording[direction],
  })
}

/** Whether this agent may stop and start the recording, as far as this one agent is concerned. */
export function resolvePause ({ company, number, agent }: Rules): DecisionOf<Access> {
  return resolveLevels({
    company: { value: company.agentInitiatedPause, isLocked: company.locks.agentInitiatedPause },
    number: number === null ? null : number.agentInitiatedPause,
    agent: agent.agentInitiatedPause,
  })
}
