import colors from 'picocolors'
import type { Supervisor } from './supervisor.ts'
import { Failure } from './system/failure.ts'

const signalNumbers = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const

type Work = (own: (supervisor: Supervisor) => Supervisor) => Promise<void>

/**
 * Runs a command to its end or to a signal, stops what its supervisor owns, says the last word, and ends the process:
 * 0 when the work resolved, 1 when it threw, 128 + the signal's number when it was stopped.
 */
export async function runUntilStopped (work: Work, lastWord: () => string | undefined = () => undefined): Promise<never> {
  let supervisor: Supervisor | undefined
  const stopAsked = Promise.withResolvers<number>()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => stopAsked.resolve(128 + signalNumbers[signal]))
  }
  const own = (created: Supervisor): Supervisor => {
    supervisor = created
    return created
  }
  const finished = work(own).then(() => 0, (error: unknown) => ({ error }))
  const outcome = await Promise.race([finished, stopAsked.promise])
  if (typeof outcome === 'object') report(outcome.error)
  if (supervisor && process.stdout.isTTY) process.stdout.write('\nStopping …\n')
  await supervisor?.stop()
  const word = lastWord()
  if (word) process.stdout.write(`${word}\n`)
  process.exit(typeof outcome === 'number' ? outcome : 1)
}

/** Shows an error: only its message where that says all. */
export function report (error: unknown): void {
  const text = error instanceof Failure ? error.message : error instanceof Error ? error.stack : String(error)
  process.stderr.write(`\n${colors.red('✗')} ${text}\n`)
}
