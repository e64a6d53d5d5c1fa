import { problem, type JobState, type ProblemCode } from '@tacet/contracts'
import { pause } from '@tacet/service-kit'

export interface MadeByJobOptions<T> {
  /** Null as long as it is not there. */
  look: () => Promise<T | null>
  /** Before the first request: throws when it can't be made. */
  prepare?: () => Promise<void>
  request: () => Promise<{ state: JobState, progress: number | null, lastError: string | null }>
  what: string
  failure: ProblemCode
  now: () => number
  /** How long somebody who asks is kept waiting: for a call of some minutes it is made by then. */
  patienceMs?: number
}

const LOOK_MS = 100

/** What a job makes of a recording, made when it is first asked for. Throws `not-ready` with how far it is, or why there will be nothing. */
export async function madeByJob<T> ({ look, prepare, request, what, failure, now, patienceMs = 2_000 }: MadeByJobOptions<T>): Promise<T> {
  const deadlineMs = now() + patienceMs
  for (let looks = 0; ; looks++) {
    const found = await look()
    if (found !== null) return found
    if (looks === 0) await prepare?.()
    const { state, progress, lastError } = await request()
    if (state === 'parked') throw problem(failure, lastError ?? `${what} could not be made`)
    if (now() >= deadlineMs) throw problem('not-ready', `${what} is being made${progress === null ? '' : `: ${Math.round(progress * 100)} %`}`, { retryAfterSeconds: 2 })
    await pause(LOOK_MS)
  }
}
