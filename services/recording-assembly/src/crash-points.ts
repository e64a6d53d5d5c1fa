import type { Reached } from '@tacet/service-kit'
import type { Ports } from './assembly.ts'

/** What an assembly is made of, step by step; each has a point before it and one after it. */
const steps = ['recordings.add', 'queue.claim', 'recordings.begin', 'store.prepare', 'workDirs.create', 'source.fetch', 'store.put', 'recordings.complete', 'workDirs.remove', 'source.remove', 'recordings.finish']
// A worker looks for work all the time.
export const crashPoints = [...steps.filter(step => step !== 'queue.claim').map(step => `before ${step}`), ...steps, 'file written']

/** Lets every port tell when one of its steps begins and is done. Without `reached` they are handed back as they are. */
export function markSteps (ports: Ports, reached: Reached | undefined): Ports {
  if (!reached) return ports
  const written = (write: Function) => async (...args: unknown[]): Promise<unknown> => {
    const result = await write(...args)
    reached('file written')
    return result
  }
  const mark = <Port extends object>(portName: string, port: Port): Port => new Proxy(port, {
    get: (target, name: keyof Port & string) => async (...args: unknown[]): Promise<unknown> => {
      const step = `${portName}.${name}`
      reached(`before ${step}`)
      const method = target[name] as (...args: unknown[]) => Promise<unknown>
      const result = await method(...args.map(argument => name === 'put' && typeof argument === 'function' ? written(argument) : argument))
      // To look for work and find none is no step.
      if (name !== 'claim' || (result as unknown[]).length > 0) reached(step)
      return result
    },
  })
  return Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, mark(name, port)])) as unknown as Ports
}
