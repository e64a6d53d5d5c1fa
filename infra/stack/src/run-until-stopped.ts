import colors from 'picocolors'
import type { Supervisor } from './supervisor.ts'
import { Failure } from './system/failure.ts'

/**
 * Runs a command to its end or to a signal, then stops what its supervisor owns, and ends the process:
 * 0 when the work ended well or was stopped by a signal after it was up, 1 otherwise.
 */
export async function runUntilStopped (work: (onSupervisor: (supervisor: Supervisor) => Supervisor) => Promise<void>): Promise<void> {
  let supervisor: Supervisor | undefined
  const stopAsked = Promise.withResolvers<NodeJS.Signals>()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopAsked.resolve(signal))
  const remember = (created: Supervisor): Supervisor => {
    supervisor = created
    return created
  }
  const finished = work(remember).then(() => 0, (error: unknown) => {
    report(error)
    return 1
  })
  const outcome = await Promise.race([finished, stopAsked.promise])
  if (typeof outcome === 'string' && process.stdout.isTTY) process.stdout.write('\nStopping …\n')
  await supervisor?.stop()
  process.exit(typeof outcome === 'string' ? 128 + signalNumbers[outcome as keyof typeof signalNumbers] : outcome)
}

const signalNumbers = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 }

function report (error: unknown): void {
  const text = error instanceof Failure ? error.message : error instanceof Error ? error.stack : String(error)
  process.stderr.write(`\n${colors.red('✗')} ${text}\n`)
}
