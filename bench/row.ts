import type { Stack } from '@tacet/contracts'
import type { Supervisor } from '@tacet/stack'
import type { Figure } from './figures.ts'

export interface Bench {
  /** An empty folder on the disk that the stack uses. */
  dir: string
  /** How often something is repeated: fewer times when only looking whether all works. */
  times: (count: number) => number
  say: (what: string) => void
}

export interface LiveBench extends Bench {
  stack: Stack
  agentToken: string
  /** Of whatever a row starts besides. */
  supervisor: Supervisor
  /** Where a service that gets SIGUSR1 can be inspected. */
  inspectorPort: number
}

/** A part of the table, by the name that selects it. */
export type Row =
  | { name: string, needsStack: false, run: (bench: Bench) => Promise<Figure[]> }
  | { name: string, needsStack: true, run: (bench: LiveBench) => Promise<Figure[]> }
