import type { Level } from '@tacet/contracts'

/** What one level says, as it was consulted. */
export interface Step<Value extends string> {
  level: Level
  value: Value | 'inherit'
  isLocked: boolean
}

/** An effective value, the level that decided it, and what every level said, most specific first. */
export interface DecisionOf<Value extends string> {
  value: Value
  decidedBy: Level
  isLocked: boolean
  chain: Step<Value>[]
}

export interface LevelValues<Value extends string> {
  company: { value: Value, isLocked: boolean }
  /** null: the call has no number of ours. */
  number: Value | 'inherit' | null
  agent: Value | 'inherit'
}

/** The most specific level that does not inherit decides, unless the company locks the setting. */
export function resolveLevels<Value extends string> ({ company, number, agent }: LevelValues<Value>): DecisionOf<Value> {
  const lower: Step<Value>[] = [{ level: 'agent', value: agent, isLocked: false }]
  if (number !== null) lower.push({ level: 'number', value: number, isLocked: false })
  const chain: Step<Value>[] = [...lower, { level: 'company', ...company }]

  for (const { level, value } of company.isLocked ? [] : lower) {
    if (value !== 'inherit') return { value, decidedBy: level, isLocked: false, chain }
  }
  return { value: company.value, decidedBy: 'company', isLocked: company.isLocked, chain }
}
