import { pause, type Logger } from '@tacet/service-kit'

export interface UpkeepOptions {
  forgetCalls: (ageMs: number, signal: AbortSignal) => Promise<number>
  callRetentionMs: number
  logger: Logger
  everyMs?: number
}

/** Deletes what has been kept for long enough, now and then. */
export function keepUp ({ forgetCalls, callRetentionMs, logger, everyMs = 10 * 60_000 }: UpkeepOptions): { stop: () => Promise<void> } {
  const stopping = new AbortController()

  async function run (): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        const calls = await forgetCalls(callRetentionMs, stopping.signal)
        if (calls > 0) logger.info({ calls }, 'old calls deleted')
      } catch (err) {
        logger.warn({ err }, 'old calls not deleted, will be tried again')
      }
      await pause(everyMs, stopping.signal)
    }
  }

  const running = run()
  return {
    async stop () {
      stopping.abort()
      await running
    },
  }
}
