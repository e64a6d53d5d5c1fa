import type { Agent } from '@tacet/contracts'
import type { Executor } from '@tacet/service-kit'
import { and, asc, eq, inArray, sql } from 'drizzle-orm'
import { agents, endpoints } from '../db/schema.ts'
import type { AgentRepository } from '../usecases/ports.ts'

export function createAgentRepository (executor: Executor): AgentRepository {
  return {
    async find (companyId, agentId) {
      const [row] = await executor.select().from(agents).where(and(eq(agents.companyId, companyId), eq(agents.agentId, agentId)))
      return row === undefined ? null : toAgent(row)
    },
    async findCompanyId (agentId) {
      const [row] = await executor.select({ companyId: agents.companyId }).from(agents).where(eq(agents.agentId, agentId))
      return row?.companyId ?? null
    },
    async findOwners (names) {
      return names.length === 0 ? [] : await executor.select().from(endpoints).where(inArray(endpoints.endpoint, [...names]))
    },
    async list (companyId) {
      return (await executor.select().from(agents).where(eq(agents.companyId, companyId)).orderBy(asc(agents.name), asc(agents.agentId))).map(toAgent)
    },
    async save (agent) {
      const row = { ...agent, email: agent.email ?? null }
      await executor.insert(agents).values(row).onConflictDoUpdate({ target: agents.agentId, set: { ...row, updatedAt: sql`now()` } })
      await executor.delete(endpoints).where(eq(endpoints.agentId, agent.agentId))
      const { agentId, companyId } = agent
      // Sorted: two companies that want the same endpoints wait for each other instead of deadlocking.
      const owned = agent.endpoints.toSorted().map(endpoint => ({ endpoint, agentId, companyId }))
      if (owned.length > 0) await executor.insert(endpoints).values(owned)
    },
    async remove (agentId) {
      await executor.delete(agents).where(eq(agents.agentId, agentId))
    },
  }
}

function toAgent ({ createdAt: _, updatedAt: __, email, ...agent }: typeof agents.$inferSelect): Agent {
  return { ...agent, ...(email === null ? {} : { email }) }
}
