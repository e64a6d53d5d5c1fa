/** Something that whoever typed the command can mend: shown as it is, without a stack trace. */
export class Failure extends Error {
  override readonly name = 'Failure'
}

export const messageOf = (error: unknown): string => error instanceof Error ? error.message : String(error)
