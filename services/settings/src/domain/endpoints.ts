export interface Endpoint {
  endpoint: string
  companyId: string
  /** null: assigned to the company, used by nobody. */
  agentId: string | null
}

export type EndpointConflict = { code: 'not-yours' | 'already-exists', endpoint: string }

/**
 * Why an agent may not use these endpoints; null when nothing is against it. An endpoint has one company and one agent
 * on the whole PBX. Whether a foreign one is another company's or nobody's is not told.
 */
export function findEndpointConflict (
  agent: { agentId: string, companyId: string }, wanted: readonly string[], known: readonly Endpoint[], mayAssign: boolean
): EndpointConflict | null {
  for (const endpoint of wanted) {
    const entry = known.find(other => other.endpoint === endpoint)
    if (entry === undefined ? !mayAssign : entry.companyId !== agent.companyId) return { code: 'not-yours', endpoint }
    if (entry !== undefined && entry.agentId !== null && entry.agentId !== agent.agentId) return { code: 'already-exists', endpoint }
  }
  return null
}
