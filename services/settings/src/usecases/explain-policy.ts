import type { Company, explainQuerySchema, Explanation, PhoneNumber } from '@tacet/contracts'
import { resolveCall, resolvePause, resolveRecording, spellingsOf } from '@tacet/policy'
import type { z } from 'zod'
import type { Dependencies, Store } from './ports.ts'
import { found, requireCompany } from './shared.ts'

export type ExplainQuery = z.output<typeof explainQuerySchema>

/**
 * What the rules make of such a call now, and which level decided. An internal call without a peer is explained
 * as one between two agents with the same rules.
 */
export function createExplainPolicy ({ store }: Pick<Dependencies, 'store'>) {
  return async (companyId: string, query: ExplainQuery): Promise<Explanation> => {
    const company = await requireCompany(store, companyId)
    const agent = found(await store.agents.find(companyId, query.agent), 'agent')
    const number = query.number === undefined ? null : found(await findNumber(store, company, query.number), 'number')
    const { direction, peerAgent } = query
    const peer = direction === 'internal' && peerAgent !== undefined ? found(await store.agents.find(companyId, peerAgent), 'peer agent') : null

    const call = resolveCall({ direction, company, number, agent, peer: peer ?? agent })
    return {
      recording: call.recording.decision,
      agentInitiatedPause: call.pause.decision,
      effective: { isRecorded: call.recording.isRecorded, mayPause: call.pause.mayPause },
      peer: peer && {
        recording: resolveRecording({ company, number, agent: peer, direction }),
        agentInitiatedPause: resolvePause({ company, number, agent: peer }),
      },
    }
  }
}

/** As a call would find it, whose trunk spells it in a way of its own. */
async function findNumber ({ numbers }: Store, { companyId, country }: Company, numberOrId: string): Promise<PhoneNumber | null> {
  if (numberOrId.includes('-')) return await numbers.find(companyId, numberOrId)
  for (const spelling of spellingsOf(numberOrId, country)) {
    const number = await numbers.findByNumber(companyId, spelling)
    if (number !== null) return number
  }
  return null
}
