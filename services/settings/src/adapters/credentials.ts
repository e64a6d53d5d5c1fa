import type { Executor } from '@tacet/service-kit'
import { and, asc, eq, gt, isNotNull, isNull, lte, or, sql, type SQL } from 'drizzle-orm'
import { credentials } from '../db/schema.ts'
import type { CredentialQuery, CredentialRepository, StoredCredential } from '../usecases/ports.ts'
import { after, holding, toPage } from './page.ts'

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
    async findById (credentialId) {
      const [row] = await executor.select().from(credentials).where(eq(credentials.credentialId, credentialId))
      return row === undefined ? null : toCredential(row)
    },
    async list (companyId, { limit, cursor, q, kind, agentId, state }) {
      const rows = await executor.select().from(credentials).where(and(
        eq(credentials.companyId, companyId),
        after(cursor, 'id', credentials.credentialId),
        holding(q, credentials.label, credentials.prefix),
        kind && eq(credentials.kind, kind),
        agentId === undefined ? undefined : eq(credentials.agentId, agentId),
        isIn(state)
      )).orderBy(asc(credentials.credentialId)).limit(limit + 1)
      return toPage(rows, limit, toCredential, ({ credentialId }) => [credentialId])
    },
    async all (companyId) {
      return (await executor.select().from(credentials).where(eq(credentials.companyId, companyId)).orderBy(asc(credentials.credentialId))).map(toCredential)
    },
    async ofAgent (companyId, agentId) {
      const where = and(eq(credentials.companyId, companyId), eq(credentials.agentId, agentId), isNull(credentials.revokedAt))
      return (await executor.select().from(credentials).where(where).orderBy(asc(credentials.credentialId))).map(toCredential)
    },
    async save (credential) {
      const row = toRow(credential)
      await executor.insert(credentials).values(row).onConflictDoUpdate({ target: credentials.credentialId, set: { ...row, updatedAt: sql`now()` } })
    },
    async remove (credentialId) {
      await executor.delete(credentials).where(eq(credentials.credentialId, credentialId))
    },
  }
}

function isIn (state: CredentialQuery['state']): SQL | undefined {
  const { revokedAt, expiresAt } = credentials
  switch (state) {
    case undefined: return undefined
    case 'revoked': return isNotNull(revokedAt)
    case 'expired': return and(isNull(revokedAt), lte(expiresAt, sql`now()`))
    case 'active': return and(isNull(revokedAt), or(isNull(expiresAt), gt(expiresAt, sql`now()`)))
  }
}

function toRow ({ companyId, expiresAt, revokedAt, ...credential }: StoredCredential): typeof credentials.$inferInsert {
  if (companyId === null) throw new Error('the operator has no credential here')
  return { ...credential, companyId, expiresAt: toDate(expiresAt), revokedAt: toDate(revokedAt) }
}

function toCredential ({ createdAt: _, updatedAt: __, expiresAt, revokedAt, ...credential }: typeof credentials.$inferSelect): StoredCredential {
  return { ...credential, expiresAt: expiresAt?.toISOString() ?? null, revokedAt: revokedAt?.toISOString() ?? null }
}

const toDate = (timestamp: string | null): Date | null => timestamp === null ? null : new Date(timestamp)
