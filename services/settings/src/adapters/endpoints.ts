import { problem } from '@tacet/contracts'
import type { Executor } from '@tacet/service-kit'
import { and, asc, eq, inArray, notInArray, sql } from 'drizzle-orm'
import { endpoints } from '../db/schema.ts'
import type { EndpointRepository } from '../usecases/ports.ts'
import { after, holding, toPage } from './page.ts'

export function createEndpointRepository (executor: Executor): EndpointRepository {
  return {
    async find (endpoint) {
      const [row] = await executor.select().from(endpoints).where(eq(endpoints.endpoint, endpoint))
      return row ?? null
    },
    async list ({ limit, cursor, q, companyId }) {
      const rows = await executor.select().from(endpoints).where(and(
        companyId === undefined ? undefined : eq(endpoints.companyId, companyId),
        after(cursor, 'text', endpoints.endpoint),
        holding(q, endpoints.endpoint)
      )).orderBy(asc(endpoints.endpoint)).limit(limit + 1)
      return toPage(rows, limit, row => row, ({ endpoint }) => [endpoint])
    },
    async lock (names) {
      if (names.length === 0) return []
      // Ordered: two changes that want the same endpoints wait for each other instead of deadlocking.
      return await executor.select().from(endpoints).where(inArray(endpoints.endpoint, [...names])).orderBy(asc(endpoints.endpoint)).for('update')
    },
    async assign (endpoint, companyId, before) {
      const assigned = await executor.insert(endpoints).values({ endpoint, companyId })
        .onConflictDoUpdate({ target: endpoints.endpoint, set: { companyId }, setWhere: sql`${endpoints.agentId} is null and ${endpoints.companyId} = ${before}::uuid` })
        .returning({ endpoint: endpoints.endpoint })
      if (assigned.length === 0) throw problem('in-use', 'it was assigned meanwhile')
    },
    async remove (endpoint) {
      await executor.delete(endpoints).where(eq(endpoints.endpoint, endpoint))
    },
    async removeOf (companyId) {
      await executor.delete(endpoints).where(eq(endpoints.companyId, companyId))
    },
    async give ({ agentId, companyId }, names) {
      await executor.update(endpoints).set({ agentId: null }).where(and(eq(endpoints.agentId, agentId), names.length === 0 ? undefined : notInArray(endpoints.endpoint, [...names])))
      if (names.length === 0) return
      const given = await executor.insert(endpoints).values(names.toSorted().map(endpoint => ({ endpoint, companyId, agentId })))
        .onConflictDoUpdate({ target: endpoints.endpoint, set: { agentId }, setWhere: sql`${endpoints.companyId} = ${companyId}` })
        .returning({ endpoint: endpoints.endpoint })
      if (given.length < names.length) throw problem('already-exists', 'an endpoint was assigned to another company meanwhile')
    },
  }
}
