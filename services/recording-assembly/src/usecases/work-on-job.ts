import { backoff, isTransientDatabaseError, type Logger } from '@tacet/service-kit'
import { isAlarmDue, type RetryDelays } from '../domain/waiting.ts'
import { AssemblyImpossible, DependencyUnavailable, LeaseLost, NotYet } from './errors.ts'
import type { JobKind } from '@tacet/contracts'
import type { Alarms, Job, JobQueue, Lease, Recordings } from './ports.ts'

const canBeParked = ({ kind }: Job): boolean => kind !== 'delete-segments' && kind !== 'erase'

/** There is one recording per call, and its id is the call's. */
const factsOf = ({ recordingId, jobId, kind, item }: Job) => ({ callId: recordingId, recordingId, jobId, job: kind, item })

export type Handlers = Record<JobKind, (lease: Lease) => Promise<void>>

export interface WorkOnJobDependencies {
  queue: JobQueue
  recordings: Recordings
  handlers: Handlers
  alarms: Alarms
  logger: Logger
  /** How often a job may fail, or kill the process, before it is parked. What must be deleted is never given up. */
  maxAttempts: number
  retryDelays: RetryDelays
  random?: () => number
}

/** Runs one attempt of a job and settles what becomes of it. Throws only when that could not be written down: then the lease runs out. */
export function createWorkOnJob (dependencies: WorkOnJobDependencies) {
  const { queue, recordings, handlers, alarms, logger, maxAttempts, retryDelays, random = Math.random } = dependencies

  function delayAfter (failures: number): number {
    const delays = backoff({ ...retryDelays, random })
    let delayMs = delays.next().value
    for (let n = 1; n < Math.min(failures, 40); n++) delayMs = delays.next().value
    return delayMs
  }

  async function postpone (job: Job, error: Error): Promise<void> {
    const delayMs = delayAfter(job.postponements + 1)
    logger.warn({ err: error, recordingId: job.recordingId, job: job.kind, delayMs }, 'job waits for something that is away')
    if (isAlarmDue(job.postponements, retryDelays)) {
      const away = error instanceof DependencyUnavailable ? error.dependency : 'database'
      alarms.raise('job-waiting', { ...factsOf(job), away, postponements: job.postponements, detail: error.message }, 'job has been waiting for minutes for something that is away')
    }
    await queue.putBack(job, { delayMs, error: error.message, isBlameless: true })
  }

  async function park (job: Job, code: string, detail: string, err?: unknown): Promise<void> {
    alarms.raise('job-parked', { ...factsOf(job), attempts: job.attempts, code, detail, err }, 'job parked')
    await recordings.fail(job, code, detail)
  }

  async function settle (lease: Lease, error: unknown): Promise<void> {
    const { job, signal } = lease
    const isOver = canBeParked(job) && job.attempts >= maxAttempts
    if (error instanceof LeaseLost) return logger.warn({ recordingId: job.recordingId, job: job.kind }, 'lease lost')
    if (signal.aborted) return await queue.putBack(job, { delayMs: 0, error: null, isBlameless: true })
    if (error instanceof AssemblyImpossible) return await park(job, error.code, error.message)
    if (error instanceof NotYet) return await queue.putBack(job, { delayMs: delayAfter(job.postponements + 1), error: error.message, isBlameless: true })
    if (error instanceof DependencyUnavailable || isTransientDatabaseError(error)) return await postpone(job, error as Error)
    const message = error instanceof Error ? error.message : String(error)
    if (isOver) return await park(job, 'gave-up', message, error)
    const delayMs = delayAfter(job.attempts)
    logger.error({ err: error, recordingId: job.recordingId, job: job.kind, attempts: job.attempts, delayMs }, 'job failed, will be tried again')
    await queue.putBack(job, { delayMs, error: message, isBlameless: false })
  }

  return async (lease: Lease): Promise<void> => {
    const { job } = lease
    try {
      // Attempts that never came back count too: a job that kills its process is not tried for ever.
      if (canBeParked(job) && job.attempts > maxAttempts) return await park(job, 'gave-up', `no attempt of ${maxAttempts} came to an end`)
      await handlers[job.kind](lease)
    } catch (error) {
      await settle(lease, error)
    }
  }
}
