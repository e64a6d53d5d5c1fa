import { pause } from './deadline.ts'
import type { Logger } from './logging.ts'

export interface UpkeepOptions {
  tasks: Record<string, (signal: AbortSignal) => Promise<unknown>>
  logger: Logger
  intervalMs?: number
}

/** What is to be done from time to time. Several instances may do it at once. */
export function createUpkeep ({ tasks, logger, intervalMs = 60_000 }: UpkeepOptions) {
  const stopping = new AbortController()
  let running: Promise<void> | undefined

  async function run (): Promise<void> {
    while (!stopping.signal.aborted) {
      for (const [task, run] of Object.entries(tasks)) {
        await run(stopping.signal).catch(err => logger.warn({ err, task }, 'upkeep not done, will be tried again'))
      }
      await pause(intervalMs, stopping.signal)
    }
  }

  return {
    start () {
      running ??= run()
    },
    async stop () {
      stopping.abort()
      await running
    },
  }
}
