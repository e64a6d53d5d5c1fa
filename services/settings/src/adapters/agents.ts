import type { Agent } from '@tacet/contracts'
import type { Executor } from '@tacet/service-kit'
import { and, arrayContains, asc, eq, sql } from 'drizzle-orm'
import { agents } from '../db/schema.ts'
import type { AgentRepository } from '../usecases/ports.ts'
import { after, holding, toPage } from './page.ts'

export function createAgentRepository (executor: Executor): AgentRepository {
  return {
    async find (companyId, agentId) {
      const [row] = await executor.select().from(agents).where(and(eq(agents.companyId, companyId), eq(agents.agentId, agentId)))
      return row === undefined ? null : toAgent(row)
    },
    async findByEmail (companyId, email) {
      return (await executor.select().from(agents).where(and(eq(agents.companyId, companyId), eq(agents.email, email))).limit(2)).map(toAgent)
    },
    async findCompanyId (agentId) {
      const [row] = await executor.select({ companyId: agents.companyId }).from(agents).where(eq(agents.agentId, agentId))
      return row?.companyId ?? null
    },
    async list (companyId, { limit, cursor, q, endpoint, role, agentInitiatedPause }) {
      const rows = await executor.select().from(agents).where(and(
        eq(agents.companyId, companyId),
        after(cursor, 'text-and-id', agents.name, agents.agentId),
        holding(q, agents.name, agents.email, sql`array_to_string(${agents.endpoints}, ' ')`),
        endpoint === undefined ? undefined : arrayContains(agents.endpoints, [endpoint]),
        role === undefined ? undefined : arrayContains(agents.roles, [role]),
        agentInitiatedPause && eq(agents.agentInitiatedPause, agentInitiatedPause)
      )).orderBy(asc(agents.name), asc(agents.agentId)).limit(limit + 1)
      return toPage(rows, limit, toAgent, ({ name, agentId }) => [name, agentId])
    },
    async all (companyId) {
      return (await executor.select().from(agents).where(eq(agents.companyId, companyId)).orderBy(asc(agents.agentId))).map(toAgent)
    },
    async save (agent) {
      const row = { ...agent, email: agent.email ?? null }
      await executor.insert(agents).values(row).onConflictDoUpdate({ target: agents.agentId, set: { ...row, updatedAt: sql`now()` } })
    },
    async remove (agentId) {
      await executor.delete(agents).where(eq(agents.agentId, agentId))
    },
  }
}

function toAgent ({ createdAt: _, updatedAt: __, email, ...agent }: typeof agents.$inferSelect): Agent {
  return { ...agent, ...(email === null ? {} : { email }) }
}
