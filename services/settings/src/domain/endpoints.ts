export interface EndpointOwner {
  endpoint: string
  agentId: string
  companyId: string
}

export type EndpointConflict = { code: 'not-yours' | 'already-exists', endpoint: string }

/** An endpoint has one agent on the whole PBX. Who owns a foreign company's endpoint is not told. */
export function findEndpointConflict (agent: { agentId: string, companyId: string }, owners: readonly EndpointOwner[]): EndpointConflict | null {
  const taken = owners.find(owner => owner.agentId !== agent.agentId)
  if (taken === undefined) return null
  return { code: taken.companyId === agent.companyId ? 'already-exists' : 'not-yours', endpoint: taken.endpoint }
}
