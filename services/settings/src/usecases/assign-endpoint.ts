import { problem } from '@tacet/contracts'
import type { Caller } from '../domain/caller.ts'
import { audit, type Announcement } from '../domain/changes.ts'
import type { Endpoint } from '../domain/endpoints.ts'
import type { Precondition } from '../domain/precondition.ts'
import type { Dependencies } from './ports.ts'
import { causeOf, found, requireCompany, requirePrecondition } from './shared.ts'

/** Assigns an endpoint of the PBX to a company. Refuses with `in-use` to take it from an agent. */
export function createAssignEndpoint (deps: Dependencies) {
  return async (caller: Caller, endpoint: string, companyId: string, precondition: Precondition = {}): Promise<{ entity: Endpoint, isNew: boolean }> =>
    await deps.store.change(companyId, async unit => {
      await requireCompany(unit, companyId)
      const [before = null] = await unit.endpoints.lock([endpoint])
      requirePrecondition(precondition, before)
      if (before?.companyId === companyId) return { entity: before, isNew: false }
      refuseUsed(before)
      await unit.endpoints.assign(endpoint, companyId, before?.companyId ?? null)
      await unit.announce([
        ...(before === null ? [] : [assignmentOf(deps, caller, 'unassign', endpoint, before.companyId)]),
        assignmentOf(deps, caller, 'assign', endpoint, companyId),
      ])
      return { entity: { endpoint, companyId, agentId: null }, isNew: before === null }
    })
}

/** Takes an endpoint from its company; `in-use` while an agent has it. */
export function createUnassignEndpoint (deps: Dependencies) {
  return async (caller: Caller, endpoint: string, precondition: Precondition = {}): Promise<void> => {
    const { companyId } = found(await deps.store.endpoints.find(endpoint), 'endpoint')
    await deps.store.change(companyId, async unit => {
      const [locked = null] = await unit.endpoints.lock([endpoint])
      const before = found(locked, 'endpoint')
      requirePrecondition(precondition, before)
      refuseUsed(before)
      await unit.endpoints.remove(endpoint)
      await unit.announce([assignmentOf(deps, caller, 'unassign', endpoint, before.companyId)])
    })
  }
}

function refuseUsed (endpoint: Endpoint | null): void {
  if (endpoint !== null && endpoint.agentId !== null) throw problem('in-use', 'an agent uses this endpoint')
}

/** The entry for the audit log of the company that gets or loses the endpoint. */
export function assignmentOf (deps: Dependencies, caller: Caller, action: 'assign' | 'unassign', endpoint: string, companyId: string): Announcement {
  return audit(causeOf(caller, deps), companyId, `endpoint.${action}`, { endpoint })
}
