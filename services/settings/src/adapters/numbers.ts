import type { PhoneNumber } from '@tacet/contracts'
import type { Executor } from '@tacet/service-kit'
import { and, asc, eq, sql } from 'drizzle-orm'
import { numbers } from '../db/schema.ts'
import type { NumberRepository } from '../usecases/ports.ts'
import { after, holding, toPage } from './page.ts'

export function createNumberRepository (executor: Executor): NumberRepository {
  return {
    async find (companyId, numberId) {
      const [row] = await executor.select().from(numbers).where(and(eq(numbers.companyId, companyId), eq(numbers.numberId, numberId)))
      return row === undefined ? null : toNumber(row)
    },
    async findByNumber (companyId, number) {
      const [row] = await executor.select().from(numbers).where(and(eq(numbers.companyId, companyId), eq(numbers.number, number)))
      return row === undefined ? null : toNumber(row)
    },
    async list (companyId, { limit, cursor, q, agentInitiatedPause }) {
      const rows = await executor.select().from(numbers).where(and(
        eq(numbers.companyId, companyId),
        after(cursor, 'text', numbers.number),
        holding(q, numbers.number, numbers.label),
        agentInitiatedPause && eq(numbers.agentInitiatedPause, agentInitiatedPause)
      )).orderBy(asc(numbers.number)).limit(limit + 1)
      return toPage(rows, limit, toNumber, ({ number }) => [number])
    },
    async all (companyId) {
      return (await executor.select().from(numbers).where(eq(numbers.companyId, companyId)).orderBy(asc(numbers.number))).map(toNumber)
    },
    async save (number) {
      await executor.insert(numbers).values(number).onConflictDoUpdate({ target: numbers.numberId, set: { ...number, updatedAt: sql`now()` } })
    },
    async remove (numberId) {
      await executor.delete(numbers).where(eq(numbers.numberId, numberId))
    },
  }
}

function toNumber ({ createdAt: _, updatedAt: __, ...number }: typeof numbers.$inferSelect): PhoneNumber {
  return number
}
