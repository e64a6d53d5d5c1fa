import type { AuditEntry } from '@tacet/contracts'
import type { Db, Executor } from '@tacet/service-kit'
import { and, asc, desc, eq, gt, gte, inArray, like, lt, type SQL } from 'drizzle-orm'
import { auditChains, auditLog } from '../db/schema.ts'
import { canonicalJson, createVerifier, genesisHash, hashOf } from '../domain/audit-chain.ts'
import { chainOf, columnsOf, columnsOfText } from '../domain/audit-columns.ts'
import { decode, toPage } from './page.ts'
import type { AuditFilter, AuditLog, ChainReport, ChainedEntry } from '../usecases/ports.ts'

const batchSize = 500

/** Appends an entry to its chain, in the transaction that consumes it. An entry that is there already stays as it is. */
export async function appendToAuditLog (tx: Executor, entry: AuditEntry): Promise<void> {
  const { at, ...columns } = columnsOf(entry)
  const known = await tx.select({ seq: auditLog.seq }).from(auditLog).where(eq(auditLog.auditId, entry.auditId))
  if (known.length > 0) return
  const chain = chainOf(entry)
  await tx.insert(auditChains).values({ chain, length: 0, hash: genesisHash }).onConflictDoNothing()
  // Locks the chain: the next one waits until this entry is there, or is not.
  const [head = { length: 0, hash: genesisHash }] = await tx.select().from(auditChains).where(eq(auditChains.chain, chain)).for('update')
  const link = { chain, seq: head.length + 1, previousHash: head.hash, entry: canonicalJson(entry) }
  const hash = hashOf(link)
  await tx.insert(auditLog).values({ ...link, ...columns, at: new Date(at), hash })
  await tx.update(auditChains).set({ length: link.seq, hash }).where(eq(auditChains.chain, chain))
}

export function createAuditLog (db: Db): AuditLog {
  const read = (where: SQL | undefined, order: SQL, limit: number) => db.select().from(auditLog).where(where).orderBy(order).limit(limit)

  async function verifyChain (chain: string): Promise<ChainReport> {
    // The head is read first: what is appended meanwhile is for the next time.
    const [head] = await db.select().from(auditChains).where(eq(auditChains.chain, chain))
    const length = head?.length ?? 0
    const verifier = createVerifier(columnsOfText)
    for (let seq = 0; seq < length;) {
      const rows = await read(and(eq(auditLog.chain, chain), gt(auditLog.seq, seq)), asc(auditLog.seq), Math.min(batchSize, length - seq))
      for (const row of rows) {
        const { auditId, at, action, outcome, code, agentId, credentialId, callId } = row
        const tampering = verifier.check({ ...row, shown: { auditId, at: at.toISOString(), action, outcome, code, agentId, credentialId, callId } })
        if (tampering !== null) return { chain, entries: length, isIntact: false, firstTampered: { seq: tampering === 'missing' ? verifier.checked + 1 : row.seq, auditId: tampering === 'missing' ? null : auditId, kind: tampering } }
      }
      if (rows.length === 0) break
      seq = rows.at(-1)?.seq ?? length
    }
    const tampering = head === undefined ? null : verifier.end(head)
    return { chain, entries: length, isIntact: tampering === null, firstTampered: tampering && { seq: verifier.checked + 1, auditId: null, kind: tampering } }
  }

  return {
    async list (filter, limit, cursor) {
      const before = cursor === undefined ? undefined : lt(auditLog.position, Number(decode(cursor, 'position')[0]))
      const rows = await read(and(...conditions(filter), before), desc(auditLog.position), limit + 1)
      return toPage(rows, limit, toEntry, ({ position }) => [String(position)])
    },
    async * stream (filter) {
      for (let after = 0; ;) {
        const rows = await read(and(...conditions(filter), gt(auditLog.position, after)), asc(auditLog.position), batchSize)
        yield * rows.map(toEntry)
        const last = rows.at(-1)
        if (last === undefined || rows.length < batchSize) return
        after = last.position
      }
    },
    async verify (chains) {
      const known = chains ?? (await db.select({ chain: auditChains.chain }).from(auditChains).orderBy(asc(auditChains.chain))).map(({ chain }) => chain)
      const reports: ChainReport[] = []
      for (const chain of known) reports.push(await verifyChain(chain))
      return reports
    },
  }
}

function conditions ({ chains, action, outcome, agentId, credentialId, callId, from, to }: AuditFilter): (SQL | undefined)[] {
  return [
    chains === null ? undefined : inArray(auditLog.chain, chains),
    action === undefined ? undefined : like(auditLog.action, `${action.replaceAll(/[\\%_]/g, '\\$&')}%`),
    outcome && eq(auditLog.outcome, outcome),
    agentId === undefined ? undefined : eq(auditLog.agentId, agentId),
    credentialId === undefined ? undefined : eq(auditLog.credentialId, credentialId),
    callId === undefined ? undefined : eq(auditLog.callId, callId),
    from === undefined ? undefined : gte(auditLog.at, new Date(from)),
    to === undefined ? undefined : lt(auditLog.at, new Date(to)),
  ]
}

const toEntry = ({ entry, seq, hash }: typeof auditLog.$inferSelect): ChainedEntry => ({ ...JSON.parse(entry) as AuditEntry, seq, hash })
