import { longestPauseOf } from '@tacet/policy'
import type { Call } from './call.ts'

/** How long an agent's silence has lasted, and when the company's rule next has a say. */
export interface LongPause { sinceMs: number, dueAtMs: number, isOverdue: boolean }

/** A resume by the rule that failed is tried again after this long, or after the longest pause if that is shorter. */
const retryMs = 10_000

/** The clock runs from the moment the agent's reason for silence comes until it goes; without a rule there is none. */
export function clockOf ({ rules, recording, longPause }: Call, atMs: number): LongPause | null {
  const rule = rules && longestPauseOf(rules)
  if (!rule || !recording.reasons.includes('agent')) return null
  return longPause ?? { sinceMs: atMs, dueAtMs: atMs + rule.afterMs, isOverdue: false }
}

/** What the rule does at this moment, and the clock after it; null while it has nothing to say. */
export function overdue ({ rules, recording, longPause }: Call, atMs: number): { then: 'remind' | 'resume', longPause: LongPause, longestPauseMs: number } | null {
  const rule = rules && longestPauseOf(rules)
  // On the way from one state to another the silence may be ending, or not be true yet.
  if (!rule || !longPause || recording.phase.status !== 'paused' || atMs < longPause.dueAtMs) return null
  const nextMs = rule.then === 'resume' ? Math.min(retryMs, rule.afterMs) : rule.afterMs
  return { then: rule.then, longestPauseMs: rule.afterMs, longPause: { ...longPause, dueAtMs: atMs + nextMs, isOverdue: true } }
}
