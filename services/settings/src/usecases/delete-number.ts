import type { Caller } from '../domain/caller.ts'
import { announce } from '../domain/changes.ts'
import type { Dependencies } from './ports.ts'
import { causeOf, found } from './shared.ts'

export function createDeleteNumber (deps: Dependencies) {
  return async (caller: Caller, companyId: string, numberId: string): Promise<void> =>
    await deps.store.change(companyId, async unit => {
      const before = found(await unit.numbers.find(companyId, numberId), 'number')
      await unit.nextVersion('number', companyId, numberId)
      await unit.numbers.remove(numberId)
      await unit.announce(announce(causeOf(caller, deps), 'delete', { kind: 'number', value: before }, null))
    })
}
