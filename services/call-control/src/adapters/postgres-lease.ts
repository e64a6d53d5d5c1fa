import type { Database } from '@tacet/service-kit'
import { and, eq, sql } from 'drizzle-orm'
import { leases } from '../db/schema.ts'

export interface LeaseStore {
  /** The epoch when the lease is ours, new or renewed; undefined while another holds it. A new holder gets a new epoch. */
  acquire (): Promise<number | undefined>
  /** Lets the next one in at once. */
  release (): Promise<void>
}

/** One row a PBX; the database's clock decides what has expired. */
export function createPostgresLease ({ database: { db }, pbxId, holder, ttlMs }: { database: Database, pbxId: string, holder: string, ttlMs: number }): LeaseStore {
  const expiresAt = sql`now() + ${ttlMs} * interval '1 millisecond'`
  return {
    async acquire () {
      const [row] = await db.insert(leases).values({ pbxId, holder, epoch: 1, expiresAt }).onConflictDoUpdate({
        target: leases.pbxId,
        set: { holder, epoch: sql`case when ${leases.holder} = excluded.holder then ${leases.epoch} else ${leases.epoch} + 1 end`, expiresAt },
        setWhere: sql`${leases.holder} = excluded.holder or ${leases.expiresAt} < now()`,
      }).returning({ epoch: leases.epoch })
      return row?.epoch
    },
    async release () {
      await db.update(leases).set({ expiresAt: sql`now()` }).where(and(eq(leases.pbxId, pbxId), eq(leases.holder, holder)))
    },
  }
}
