import { AsyncLocalStorage } from 'node:async_hooks'

const storage = new AsyncLocalStorage<{ correlationId: string }>()

/** Runs `task` so that its logs, outbox rows and problem details carry this correlation id. */
export function withCorrelationId<T> (correlationId: string, task: () => T): T {
  return storage.run({ correlationId }, task)
}

export function currentCorrelationId (): string | undefined {
  return storage.getStore()?.correlationId
}
