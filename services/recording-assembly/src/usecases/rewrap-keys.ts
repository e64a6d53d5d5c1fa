import type { Logger } from '@tacet/service-kit'

const BATCH = 200

/** After a new master key has come: wraps what older ones wrapped, until they are not needed any more. */
export function createRewrapKeys ({ keys, logger }: { keys: { rewrap (limit: number): Promise<number> }, logger: Logger }) {
  return async (signal: AbortSignal): Promise<number> => {
    let rewrapped = 0
    for (let count = BATCH; count === BATCH && !signal.aborted; rewrapped += count) count = await keys.rewrap(BATCH)
    if (rewrapped > 0) logger.info({ rewrapped }, 'keys wrapped by the newest master key')
    return rewrapped
  }
}
