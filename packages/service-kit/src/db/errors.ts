/** Classes and codes of PostgreSQL errors that go away by themselves: connection, resources, shutdown, conflicts. */
const transientStates = /^(08|53|57P|40001|40P01|55P03|57014|25P03)/
const transientCodes = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN'])
/** pg throws these without a code. */
const transientMessages = /connection terminated|connection ended|timeout exceeded when trying to connect|query read timeout|not queryable|client was closed|timeout expired/i

/** Whether trying the same again later can help. Looks through wrapped causes. */
export function isTransientDatabaseError (error: unknown): boolean {
  for (let current = error, depth = 0; current instanceof Error && depth < 10; current = current.cause, depth++) {
    const { code } = current as { code?: unknown }
    if (typeof code === 'string' && (transientStates.test(code) || transientCodes.has(code))) return true
    if (transientMessages.test(current.message)) return true
    if (current instanceof AggregateError && current.errors.some(isTransientDatabaseError)) return true
  }
  return false
}

/** The name of the violated unique constraint, if that is what happened. */
export function violatedConstraint (error: unknown): string | undefined {
  for (let current = error, depth = 0; current instanceof Error && depth < 10; current = current.cause, depth++) {
    const { code, constraint } = current as { code?: unknown, constraint?: unknown }
    if (code === '23505' && typeof constraint === 'string') return constraint
  }
  return undefined
}
