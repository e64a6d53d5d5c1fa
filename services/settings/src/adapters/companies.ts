import type { Company } from '@tacet/contracts'
import type { Executor } from '@tacet/service-kit'
import { and, asc, eq, sql } from 'drizzle-orm'
import { companies } from '../db/schema.ts'
import type { CompanyRepository } from '../usecases/ports.ts'
import { after, holding, toPage } from './page.ts'

export function createCompanyRepository (executor: Executor): CompanyRepository {
  return {
    async find (companyId) {
      const [row] = await executor.select().from(companies).where(eq(companies.companyId, companyId))
      return row === undefined ? null : toCompany(row)
    },
    async list ({ limit, cursor, q, agentInitiatedPause }) {
      const rows = await executor.select().from(companies).where(and(
        after(cursor, 'text-and-id', companies.name, companies.companyId),
        holding(q, companies.name),
        agentInitiatedPause && eq(companies.agentInitiatedPause, agentInitiatedPause)
      )).orderBy(asc(companies.name), asc(companies.companyId)).limit(limit + 1)
      return toPage(rows, limit, toCompany, ({ name, companyId }) => [name, companyId])
    },
    async ids () {
      return (await executor.select({ companyId: companies.companyId }).from(companies).orderBy(asc(companies.companyId))).map(({ companyId }) => companyId)
    },
    async save (company) {
      const { locks, ...columns } = company
      const row = { ...columns, isRecordingLocked: locks.recording, isPauseLocked: locks.agentInitiatedPause }
      await executor.insert(companies).values(row).onConflictDoUpdate({ target: companies.companyId, set: { ...row, updatedAt: sql`now()` } })
    },
    async remove (companyId) {
      await executor.delete(companies).where(eq(companies.companyId, companyId))
    },
  }
}

function toCompany ({ isRecordingLocked, isPauseLocked, createdAt: _, updatedAt: __, ...columns }: typeof companies.$inferSelect): Company {
  return { ...columns, locks: { recording: isRecordingLocked, agentInitiatedPause: isPauseLocked } }
}
