/** What a request demands of the version it changes; `any` stands for `*`. */
export interface Precondition {
  ifMatch?: 'any' | readonly string[]
  /** Only if there is none yet. */
  ifNoneMatch?: 'any'
}

export const etagOf = ({ version }: { version: number }): string => `"${version}"`

/** Whether the entity, or its absence, is what the caller expects. */
export function isPreconditionMet ({ ifMatch, ifNoneMatch }: Precondition, entity: { version: number } | null): boolean {
  if (ifNoneMatch !== undefined && entity !== null) return false
  if (ifMatch === undefined) return true
  return entity !== null && (ifMatch === 'any' || ifMatch.includes(etagOf(entity)))
}
