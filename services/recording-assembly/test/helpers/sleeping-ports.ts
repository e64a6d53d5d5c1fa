import type { Ports } from '../../src/assembly.ts'

/**
 * Ports whose user falls asleep at one point, as a stopped machine does, and renews no lease until it wakes up: before it looks
 * for its first segment, or when its audio is written and confirmed but not yet in its place.
 */
export function sleepingPorts (ports: Ports, point: 'before looking' | 'before publishing') {
  const { promise: asleep, resolve: fallAsleep } = Promise.withResolvers<void>()
  const { promise: awake, resolve: wakeUp } = Promise.withResolvers<void>()
  let isAsleep = false

  async function sleepAt (here: typeof point): Promise<void> {
    if (here !== point || isAsleep) return
    isAsleep = true
    fallAsleep()
    await awake
  }

  const { source, store, queue } = ports
  const sleeping: Ports = {
    ...ports,
    queue: {
      ...queue,
      renew: async job => {
        if (isAsleep) await awake
        return await queue.renew(job)
      },
    },
    source: {
      ...source,
      fetch: async (...args) => {
        await sleepAt('before looking')
        return await source.fetch(...args)
      },
    },
    store: {
      ...store,
      put: async (name, write, options = {}) => await store.put(name, write, {
        ...options,
        confirm: async () => {
          await options.confirm?.()
          await sleepAt('before publishing')
        },
      }),
    },
  }
  return { ports: sleeping, asleep, wakeUp }
}
