import { eventually } from '@tacet/test-kit'
import type { Ports } from '../../src/assembly.ts'
import type { Worker } from '../../src/intake/worker.ts'

/** Polling and the renewal of leases are no steps: how often they happen is chance. */
const uncounted = new Set(['counts', 'renew', 'noteProgress'])

/** Of the worker that is to use them. */
export const hands = 2

export interface Mortal {
  ports: Ports
  /** The step after which it died. */
  death: Promise<string>
}

/**
 * Ports whose user stops dead after its n-th step, as a killed process does: nothing ever returns to it, so it neither does
 * nor cleans up anything more. A step is a call that has returned, or the audio having been written but not yet put in its place.
 */
export function mortalPorts (ports: Ports, dieAfter: number): Mortal {
  const { promise: death, resolve: die } = Promise.withResolvers<string>()
  const never = new Promise<never>(() => {})
  let steps = 0

  async function step<T> (name: string, result: T): Promise<T> {
    if (++steps === dieAfter) die(name)
    return steps >= dieAfter ? await never : result
  }

  const dyingInside = (write: Function) => async (...args: unknown[]) => await step('audio written', await write(...args))

  function mortal<Port extends object> (portName: string, port: Port): Port {
    return new Proxy(port, {
      get: (target, name: keyof Port & string) => async (...args: unknown[]): Promise<unknown> => {
        if (steps >= dieAfter) return await never
        const method = target[name] as (...args: unknown[]) => Promise<unknown>
        const result = await method(...args.map(argument => name === 'put' && typeof argument === 'function' ? dyingInside(argument) : argument))
        const isCounted = !uncounted.has(name) && !(name === 'claim' && (result as unknown[]).length === 0)
        return isCounted ? await step(`${portName}.${name}`, result) : result
      },
    })
  }

  // One job at a time, so that its steps come in the same order whenever it lives.
  const queue: Ports['queue'] = { ...ports.queue, claim: async limit => limit < hands ? [] : await ports.queue.claim(1) }
  return { death, ports: Object.fromEntries(Object.entries({ ...ports, queue }).map(([name, port]) => [name, mortal(name, port)])) as unknown as Ports }
}

/** The step after which a worker died; undefined when it came to its end, and its last job to its own. */
export async function stepOfDeath (worker: Worker, death: Promise<string>, hasNoJobs: () => Promise<boolean>): Promise<string | undefined> {
  let step: string | undefined
  death.then(name => { step = name }, () => {})
  // The job may be gone before the worker has heard that, which may be what it dies after.
  await eventually(async () => step !== undefined || (await hasNoJobs() && worker.check()['inHand'] === 0))
  return step
}
