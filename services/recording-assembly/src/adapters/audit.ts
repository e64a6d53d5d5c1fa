import { topics, type AuditEntry } from '@tacet/contracts'
import { appendToOutbox, type Database, type Executor, type OutboxMessage } from '@tacet/service-kit'
import { outbox } from '../db/schema.ts'
import type { AuditLog } from '../usecases/ports.ts'

/** Entries of no company are kept together under `operator`. */
export const auditMessage = (entry: AuditEntry): OutboxMessage => ({ topic: topics.audit, type: 'audit.recorded', subject: entry.companyId ?? 'operator', data: entry })

export function createAuditLog ({ database: { db }, onEvents }: { database: Database, onEvents: () => void }): AuditLog {
  return {
    async append (entry) {
      await appendAudit(db, [entry])
      onEvents()
    },
  }
}

export const appendAudit = (executor: Executor, entries: AuditEntry[]): Promise<void> => appendToOutbox(executor, outbox, entries.map(auditMessage))
