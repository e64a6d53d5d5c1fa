import { isDeepStrictEqual } from 'node:util'
import { problem, type Agent, type putAgentSchema } from '@tacet/contracts'
import type { z } from 'zod'
import type { Caller } from '../domain/caller.ts'
import { announce } from '../domain/changes.ts'
import { findEndpointConflict } from '../domain/endpoints.ts'
import type { Dependencies, UnitOfWork } from './ports.ts'
import { causeOf, requireCompany, type PutResult } from './shared.ts'

export type AgentFields = z.output<typeof putAgentSchema>

/**
 * Creates or replaces an agent; the same again changes nothing. An endpoint has one agent on the whole PBX:
 * `already-exists` for a colleague's, `not-yours` for one of another company.
 */
export function createPutAgent (deps: Dependencies) {
  return async (caller: Caller, companyId: string, agentId: string, fields: AgentFields): Promise<PutResult<Agent>> =>
    await deps.store.change(companyId, async unit => {
      await requireCompany(unit, companyId)
      const before = await unit.agents.find(companyId, agentId)
      if (before !== null && isDeepStrictEqual(before, { ...fields, agentId, companyId, version: before.version })) return { entity: before, isNew: false }
      await refuseTakenEndpoints(unit, { agentId, companyId }, fields.endpoints)

      const entity: Agent = { ...fields, agentId, companyId, version: await unit.nextVersion('agent', companyId, agentId) }
      await unit.agents.save(entity)
      const action = before === null ? 'create' : 'update'
      await unit.announce(announce(causeOf(caller, deps), action, before && { kind: 'agent', value: before }, { kind: 'agent', value: entity }))
      return { entity, isNew: before === null }
    })
}

async function refuseTakenEndpoints ({ agents }: UnitOfWork, agent: { agentId: string, companyId: string }, endpoints: string[]): Promise<void> {
  const conflict = findEndpointConflict(agent, await agents.findOwners(endpoints))
  if (conflict === null) return
  const message = conflict.code === 'not-yours' ? 'belongs to another company' : 'belongs to another agent'
  throw problem(conflict.code, `${conflict.endpoint} ${message}`, { errors: [{ field: `endpoints.${endpoints.indexOf(conflict.endpoint)}`, message }] })
}
