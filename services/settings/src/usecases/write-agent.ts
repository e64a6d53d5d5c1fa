import { problem, putAgentSchema, type Agent, type Role } from '@tacet/contracts'
import type { z } from 'zod'
import { isOperator } from '../domain/caller.ts'
import { findEndpointConflict, type EndpointConflict } from '../domain/endpoints.ts'
import { assignmentOf } from './assign-endpoint.ts'
import type { Dependencies, UnitOfWork } from './ports.ts'
import { narrow, revoke } from './revoke-credential.ts'
import { requireCompany, requireMayGrant } from './shared.ts'
import type { Kind, Target } from './write-entity.ts'

export type AgentFields = z.output<typeof putAgentSchema>

/**
 * An agent uses endpoints that are assigned to the company and nobody else's: `already-exists` for a colleague's,
 * `not-yours` for any other. What nobody has, an operator assigns by giving it to an agent.
 */
export const createAgentKind = (deps: Dependencies): Kind<Agent, AgentFields> => ({
  name: 'agent',
  schema: putAgentSchema,
  find: (unit, { companyId, id }) => unit.agents.find(companyId, id),
  fieldsOf: ({ agentId: _, companyId: __, version: ___, ...fields }) => fields,
  async compose (unit, { companyId, id, caller }, fields, before) {
    await requireCompany(unit, companyId)
    requireMayGrant(caller, changedRoles(before?.roles ?? ['agent'], fields.roles), 'roles')
    const wanted = fields.endpoints.filter(endpoint => !before?.endpoints.includes(endpoint))
    const known = await unit.endpoints.lock(wanted)
    const conflict = findEndpointConflict({ agentId: id, companyId }, wanted, known, isOperator(caller))
    if (conflict !== null) refuse(conflict, fields.endpoints)
    return { ...fields, agentId: id, companyId }
  },
  async save (unit, agent, target, before) {
    await unit.agents.save(agent)
    if (before?.roles.some(role => !agent.roles.includes(role))) {
      for (const credential of await unit.credentials.ofAgent(agent.companyId, agent.agentId)) await narrow(deps, unit, target.caller, credential, agent.roles)
    }
    await announceAssignments(deps, unit, target, agent.endpoints)
    await unit.endpoints.give(agent, agent.endpoints)
  },
  /** The agent's credentials die with the agent, in the same transaction. */
  async remove (unit, { agentId, companyId, roles }, { caller }) {
    requireMayGrant(caller, roles)
    for (const credential of await unit.credentials.ofAgent(companyId, agentId)) await revoke(deps, unit, caller, credential)
    await unit.agents.remove(agentId)
  },
})

/** Those that only one of the two has. */
const changedRoles = (before: readonly Role[], after: readonly Role[]): Role[] =>
  [...before.filter(role => !after.includes(role)), ...after.filter(role => !before.includes(role))]

function refuse (conflict: EndpointConflict, endpoints: string[]): never {
  const message = conflict.code === 'not-yours' ? 'is not assigned to this company' : 'belongs to another agent'
  throw problem(conflict.code, `${conflict.endpoint} ${message}`, { errors: [{ field: `endpoints.${endpoints.indexOf(conflict.endpoint)}`, message }] })
}

async function announceAssignments (deps: Dependencies, unit: UnitOfWork, { caller, companyId }: Target, endpoints: string[]): Promise<void> {
  const known = await unit.endpoints.lock(endpoints)
  const unassigned = endpoints.filter(endpoint => !known.some(entry => entry.endpoint === endpoint))
  await unit.announce(unassigned.map(endpoint => assignmentOf(deps, caller, 'assign', endpoint, companyId)))
}
