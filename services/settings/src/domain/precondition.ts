/** What a request demands of the version it changes; `any` stands for `*`. */
export interface Precondition {
  ifMatch?: 'any' | readonly string[]
  /** Only if there is none yet. */
  ifNoneMatch?: 'any'
}

/** What has no version is known by what it says. */
export type Tagged = { version: number } | { endpoint: string, companyId: string, agentId: string | null }
export const etagOf = (entity: Tagged): string => 'version' in entity ? `"${entity.version}"` : `"${entity.companyId}.${entity.agentId ?? 'none'}"`

/** Whether the entity, or its absence, is what the caller expects. */
export function isPreconditionMet ({ ifMatch, ifNoneMatch }: Precondition, entity: Tagged | null): boolean {
  if (ifNoneMatch !== undefined && entity !== null) return false
  if (ifMatch === undefined) return true
  return entity !== null && (ifMatch === 'any' || ifMatch.includes(etagOf(entity)))
}
