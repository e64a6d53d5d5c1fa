import type { LaunchOptions, RunningProcess } from './system/process.ts'

/** What a part gets from the supervisor. */
export type Context = {
  /** The instance's folder: everything a part writes lies below it. */
  dataDir: string
  /** Ends every wait when the stack is told to stop. */
  signal: AbortSignal
  /** Shows what the part is doing right now. */
  say: (text: string) => void
  /** Starts a process that the supervisor watches and stops. */
  launch: (options: Omit<LaunchOptions, 'logFile'>) => RunningProcess
  /** A password of this instance, or whatever `make` makes, made once. */
  secret: (name: string, make?: () => string) => string
}
