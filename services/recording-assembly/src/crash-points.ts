import { AsyncLocalStorage } from 'node:async_hooks'
import type { JobKind } from '@tacet/contracts'
import type { Reached } from '@tacet/service-kit'
import type { Ports } from './assembly.ts'
import type { Job } from './usecases/ports.ts'
import type { Handlers } from './usecases/work-on-job.ts'

/** What each kind of work is made of, step by step. Other jobs take the same steps as these. */
const steps = {
  check: ['queue.claim', 'copies.create', 'source.fetch', 'copies.keep'],
  assemble: ['queue.claim', 'recordings.begin', 'store.prepare', 'workDirs.create', 'source.fetch', 'store.put', 'copies.remove', 'workDirs.remove', 'recordings.complete'],
  'delete-segments': ['queue.claim', 'source.remove', 'recordings.finish'],
  measure: ['queue.claim', 'store.read', 'store.put', 'recordings.noteSha512', 'files.add'],
  encode: ['queue.claim', 'store.put', 'files.add'],
} satisfies Partial<Record<JobKind, string[]>>

/** There is a point before each step and one after it. A worker looks for work all the time: that has none before it. */
const around = (kind: string, names: readonly string[]): string[] =>
  names.flatMap(name => name === 'queue.claim' ? [`${kind} ${name}`] : [`before ${kind} ${name}`, `${kind} ${name}`])

/** PostgreSQL has what came from Kafka, and Kafka does not know that yet: it will come again. */
const takenPoint = 'take committed'
/** Kafka has what we publish, and PostgreSQL does not know that yet: it will be sent again. */
const sentPoint = 'publish sent'

/** By the work in which they are reached: `take` is what comes from Kafka, before there is a job. */
export const crashPointsOf = {
  take: [...around('take', ['copies.request', 'recordings.add']), takenPoint],
  /** P7 of a pause: what it has closed was looked at. */
  check: [...around('check', steps.check), 'P7'],
  assemble: [...around('assemble', steps.assemble), 'assemble file written'],
  'delete-segments': around('delete-segments', steps['delete-segments']),
  measure: [...around('measure', steps.measure), 'measure file written'],
  encode: [...around('encode', steps.encode), 'encode file written'],
  publish: [sentPoint],
}
export const crashPoints = Object.values(crashPointsOf).flat()

/** Each hands back what it is given, or the same that tells of its steps. */
export interface Marks {
  ports: (ports: Ports) => Ports
  handlers: (handlers: Handlers) => Handlers
  checked: () => void
  taken: () => void
  sent: () => void
}

/** Lets every port tell when one of its steps begins and is done, and in which work. Without `reached` everything is handed back as it is. */
export function createMarks (reached: Reached | undefined): Marks {
  if (!reached) return { ports: ports => ports, handlers: handlers => handlers, checked () {}, taken () {}, sent () {} }
  const work = new AsyncLocalStorage<string>()
  const tell = (step: string): void => reached(`${work.getStore() ?? 'take'} ${step}`)
  const tellBefore = (step: string): void => reached(`before ${work.getStore() ?? 'take'} ${step}`)

  const written = (write: Function) => async (...args: unknown[]): Promise<unknown> => {
    const result = await write(...args)
    tell('file written')
    return result
  }
  const mark = <Port extends object>(portName: string, port: Port): Port => new Proxy(port, {
    get: (target, name: keyof Port & string) => async (...args: unknown[]): Promise<unknown> => {
      const step = `${portName}.${name}`
      tellBefore(step)
      const method = target[name] as (...args: unknown[]) => Promise<unknown>
      const result = await method(...args.map(argument => name === 'put' && typeof argument === 'function' ? written(argument) : argument))
      if (name === 'claim') for (const { kind } of result as Job[]) reached(`${kind} ${step}`)
      else tell(step)
      return result
    },
  })
  return {
    ports: ports => Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, mark(name, port)])) as unknown as Ports,
    handlers: handlers => Object.fromEntries(Object.entries(handlers).map(([kind, handle]) => [kind, (lease: Parameters<typeof handle>[0]) => work.run(kind, () => handle(lease))])) as Handlers,
    checked: () => reached('P7'),
    taken: () => reached(takenPoint),
    sent: () => reached(sentPoint),
  }
}
