import type { Company } from '@tacet/contracts'
import type { Executor } from '@tacet/service-kit'
import { asc, eq, sql } from 'drizzle-orm'
import { companies } from '../db/schema.ts'
import type { CompanyRepository } from '../usecases/ports.ts'

export function createCompanyRepository (executor: Executor): CompanyRepository {
  return {
    async find (companyId) {
      const [row] = await executor.select().from(companies).where(eq(companies.companyId, companyId))
      return row === undefined ? null : toCompany(row)
    },
    async list () {
      return (await executor.select().from(companies).orderBy(asc(companies.name), asc(companies.companyId))).map(toCompany)
    },
    async save (company) {
      const { locks, ...columns } = company
      const row = { ...columns, isRecordingLocked: locks.recording, isPauseLocked: locks.agentInitiatedPause }
      await executor.insert(companies).values(row).onConflictDoUpdate({ target: companies.companyId, set: { ...row, updatedAt: sql`now()` } })
    },
  }
}

function toCompany ({ isRecordingLocked, isPauseLocked, createdAt: _, updatedAt: __, ...columns }: typeof companies.$inferSelect): Company {
  return { ...columns, locks: { recording: isRecordingLocked, agentInitiatedPause: isPauseLocked } }
}
