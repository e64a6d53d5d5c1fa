import { problem, putNumberSchema, type PhoneNumber } from '@tacet/contracts'
import type { z } from 'zod'
import { normaliseNumber } from '@tacet/policy'
import type { UnitOfWork } from './ports.ts'
import { invalid, requireCompany } from './shared.ts'
import type { Kind } from './write-entity.ts'

export type NumberFields = z.output<typeof putNumberSchema>

/** A company has each number once (`already-exists`), in one spelling. */
export const numberKind: Kind<PhoneNumber, NumberFields> = {
  name: 'number',
  schema: putNumberSchema,
  find: (unit, { companyId, id }) => unit.numbers.find(companyId, id),
  fieldsOf: ({ numberId: _, companyId: __, version: ___, ...fields }) => fields,
  async compose (unit, { companyId, id }, fields) {
    const { country } = await requireCompany(unit, companyId)
    const number = normaliseNumber(fields.number, country)
    if (number === null) throw invalid('number', country === null ? 'neither E.164 (write it with +) nor an extension; or tell the company\'s country' : `neither E.164 nor a number of ${country}`)
    await refuseDuplicate(unit, companyId, id, number)
    return { ...fields, number, numberId: id, companyId }
  },
  save: (unit, number) => unit.numbers.save(number),
  remove: (unit, { numberId }) => unit.numbers.remove(numberId),
}

async function refuseDuplicate ({ numbers }: UnitOfWork, companyId: string, numberId: string, number: string): Promise<void> {
  const same = await numbers.findByNumber(companyId, number)
  if (same === null || same.numberId === numberId) return
  throw problem('already-exists', 'the company has this number already', { errors: [{ field: 'number', message: 'belongs to another number entry' }] })
}
