/** Something we need is away: the same again later may well succeed, and nothing follows about the recording. */
export class DependencyUnavailable extends Error {
  override readonly name = 'DependencyUnavailable'
  readonly dependency: 'segments' | 'store' | 'encoder'

  constructor (dependency: 'segments' | 'store' | 'encoder', message: string, cause?: unknown) {
    super(message, { cause })
    this.dependency = dependency
  }
}

/** Trying again can't help: the recording fails with this code. */
export class AssemblyImpossible extends Error {
  override readonly name = 'AssemblyImpossible'
  readonly code: string

  constructor (code: string, detail: string) {
    super(detail)
    this.code = code
  }
}

/** Something else that is under way has to come to its end first. */
export class NotYet extends Error {
  override readonly name = 'NotYet'
}

/** Another worker has the job by now: leave everything as it is. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost'

  constructor () {
    super('the lease on the job is lost')
  }
}

/** Whether the operating system refused: disk full, I/O error, no permission … */
export const isSystemError = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === 'string'
