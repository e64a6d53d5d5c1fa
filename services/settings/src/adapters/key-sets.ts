import type { Executor } from '@tacet/service-kit'
import { eq, isNotNull, sql } from 'drizzle-orm'
import { keySets } from '../db/schema.ts'
import type { KeySetRepository, StoredKeySet } from '../usecases/ports.ts'

export function createKeySetRepository (executor: Executor): KeySetRepository {
  return {
    async find (keySetId) {
      const [row] = await executor.select().from(keySets).where(eq(keySets.keySetId, keySetId))
      return row === undefined ? null : toKeySet(row)
    },
    async findOfCompany (companyId) {
      const [row] = await executor.select().from(keySets).where(eq(keySets.companyId, companyId))
      return row === undefined ? null : toKeySet(row)
    },
    async findByIssuer (issuer) {
      return (await executor.select().from(keySets).where(eq(keySets.issuer, issuer))).map(toKeySet)
    },
    async allOfCompanies () {
      return (await executor.select().from(keySets).where(isNotNull(keySets.companyId))).map(toKeySet)
    },
    async save (keySet) {
      const row = { ...keySet, fetchedAt: new Date(keySet.fetchedAt) }
      await executor.insert(keySets).values(row).onConflictDoUpdate({ target: keySets.keySetId, set: { ...row, updatedAt: sql`now()` } })
    },
    async remove (keySetId) {
      await executor.delete(keySets).where(eq(keySets.keySetId, keySetId))
    },
  }
}

function toKeySet ({ createdAt: _, updatedAt: __, fetchedAt, ...keySet }: typeof keySets.$inferSelect): StoredKeySet {
  return { ...keySet, fetchedAt: fetchedAt.toISOString() }
}
