import { backoff, pause, type Logger } from '@tacet/service-kit'

export interface UpkeepOptions {
  announceSigningKey: () => Promise<void>
  refreshIdentityProviders: () => Promise<void>
  refreshEveryMs: number
  logger: Logger
}

/** Publishes our signing key as soon as the database can be reached, and fetches identity providers' keys now and then. */
export function keepUp ({ announceSigningKey, refreshIdentityProviders, refreshEveryMs, logger }: UpkeepOptions): { stop: () => Promise<void> } {
  const stopping = new AbortController()

  async function untilDone (what: string, task: () => Promise<void>): Promise<void> {
    const delays = backoff({ maxMs: 5_000 })
    while (!stopping.signal.aborted) {
      try {
        return await task()
      } catch (err) {
        logger.warn({ err }, `${what} failed, trying again`)
        await pause(delays.next().value, stopping.signal)
      }
    }
  }

  async function run (): Promise<void> {
    await untilDone('announcing the signing key', announceSigningKey)
    while (!stopping.signal.aborted) {
      await pause(refreshEveryMs, stopping.signal)
      if (!stopping.signal.aborted) await untilDone('fetching keys of identity providers', refreshIdentityProviders)
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
