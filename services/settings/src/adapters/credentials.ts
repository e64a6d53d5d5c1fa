import type { Credential } from '@tacet/contracts'
import type { Executor } from '@tacet/service-kit'
import { and, asc, eq, sql } from 'drizzle-orm'
import { credentials } from '../db/schema.ts'
import type { CredentialRepository } from '../usecases/ports.ts'

export function createCredentialRepository (executor: Executor): CredentialRepository {
  return {
    async find (companyId, credentialId) {
      const [row] = await executor.select().from(credentials).where(and(eq(credentials.companyId, companyId), eq(credentials.credentialId, credentialId)))
      return row === undefined ? null : toCredential(row)
    },
    async findByHash (hash) {
      const [row] = await executor.select().from(credentials).where(eq(credentials.hash, hash))
      return row === undefined ? null : toCredential(row)
    },
    async list (companyId) {
      return (await executor.select().from(credentials).where(eq(credentials.companyId, companyId)).orderBy(asc(credentials.credentialId))).map(toCredential)
    },
    async save (credential) {
      const row = toRow(credential)
      await executor.insert(credentials).values(row).onConflictDoUpdate({ target: credentials.credentialId, set: { ...row, updatedAt: sql`now()` } })
    },
  }
}

function toRow ({ companyId, expiresAt, revokedAt, ...credential }: Credential): typeof credentials.$inferInsert {
  if (companyId === null) throw new Error('the operator has no credential here')
  return { ...credential, companyId, expiresAt: toDate(expiresAt), revokedAt: toDate(revokedAt) }
}

function toCredential ({ createdAt: _, updatedAt: __, expiresAt, revokedAt, ...credential }: typeof credentials.$inferSelect): Credential {
  return { ...credential, expiresAt: expiresAt?.toISOString() ?? null, revokedAt: revokedAt?.toISOString() ?? null }
}

const toDate = (timestamp: string | null): Date | null => timestamp === null ? null : new Date(timestamp)
