import { isDeepStrictEqual } from 'node:util'
import { problem, type PhoneNumber, type putNumberSchema } from '@tacet/contracts'
import type { z } from 'zod'
import type { Caller } from '../domain/caller.ts'
import { announce } from '../domain/changes.ts'
import type { Dependencies, UnitOfWork } from './ports.ts'
import { causeOf, requireCompany, type PutResult } from './shared.ts'

export type NumberFields = z.output<typeof putNumberSchema>

/** Creates or replaces a number; the same again changes nothing. A company has each number once (`already-exists`). */
export function createPutNumber (deps: Dependencies) {
  return async (caller: Caller, companyId: string, numberId: string, fields: NumberFields): Promise<PutResult<PhoneNumber>> =>
    await deps.store.change(companyId, async unit => {
      await requireCompany(unit, companyId)
      const before = await unit.numbers.find(companyId, numberId)
      if (before !== null && isDeepStrictEqual(before, { ...fields, numberId, companyId, version: before.version })) return { entity: before, isNew: false }
      await refuseDuplicate(unit, companyId, numberId, fields.number)

      const entity: PhoneNumber = { ...fields, numberId, companyId, version: await unit.nextVersion('number', companyId, numberId) }
      await unit.numbers.save(entity)
      const action = before === null ? 'create' : 'update'
      await unit.announce(announce(causeOf(caller, deps), action, before && { kind: 'number', value: before }, { kind: 'number', value: entity }))
      return { entity, isNew: before === null }
    })
}

async function refuseDuplicate ({ numbers }: UnitOfWork, companyId: string, numberId: string, number: string): Promise<void> {
  const same = await numbers.findByNumber(companyId, number)
  if (same === null || same.numberId === numberId) return
  throw problem('already-exists', 'the company has this number already', { errors: [{ field: 'number', message: 'belongs to another number entry' }] })
}
