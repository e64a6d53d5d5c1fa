import type { Caller } from '../domain/caller.ts'
import { announce } from '../domain/changes.ts'
import type { Dependencies } from './ports.ts'
import { revoke } from './revoke-credential.ts'
import { causeOf, found } from './shared.ts'

/** The agent's credentials die with the agent, in the same transaction. */
export function createDeleteAgent (deps: Dependencies) {
  return async (caller: Caller, companyId: string, agentId: string): Promise<void> =>
    await deps.store.change(companyId, async unit => {
      const before = found(await unit.agents.find(companyId, agentId), 'agent')
      const credentials = await unit.credentials.list(companyId)
      for (const credential of credentials.filter(credential => credential.agentId === agentId)) await revoke(deps, unit, caller, credential)
      await unit.nextVersion('agent', companyId, agentId)
      await unit.agents.remove(agentId)
      await unit.announce(announce(causeOf(caller, deps), 'delete', { kind: 'agent', value: before }, null))
    })
}
