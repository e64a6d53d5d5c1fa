import { pause, type Logger } from '@tacet/service-kit'

export interface UpkeepOptions {
  expireRecordings: (signal: AbortSignal) => Promise<number>
  logger: Logger
  intervalMs?: number
}

/** What is to be done from time to time. Several instances may do it at once. */
export function createUpkeep ({ expireRecordings, logger, intervalMs = 60_000 }: UpkeepOptions) {
  const stopping = new AbortController()
  let running: Promise<void> | undefined

  async function run (): Promise<void> {
    while (!stopping.signal.aborted) {
      await expireRecordings(stopping.signal).catch(err => logger.warn({ err }, 'retention not looked after, will be tried again'))
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
