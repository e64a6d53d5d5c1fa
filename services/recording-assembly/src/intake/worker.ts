import { backoff, pause, withCorrelationId, type CheckResult, type Logger } from '@tacet/service-kit'
import { LeaseLost } from '../usecases/errors.ts'
import type { Job, JobQueue, Lease } from '../usecases/ports.ts'

export interface WorkerTiming {
  pollIntervalMs?: number
  /** How long a stop waits for work in hand before it hands it back. */
  finishMs?: number
  /** How often somebody who waits hears how far it is, and how often the log does. */
  tellMs?: number
  logMs?: number
}

export interface WorkerOptions extends WorkerTiming {
  queue: JobQueue
  workOnJob: (lease: Lease) => Promise<void>
  logger: Logger
  concurrency: number
  leaseMs: number
}

export interface Worker {
  start (): void
  /** There may be a job: looks now instead of at the next poll. */
  wake (): void
  check (): CheckResult
  /** Finishes what is in hand, or hands it back. */
  stop (): Promise<void>
}

/** Takes jobs as long as there are some and a hand is free; renews their leases while they are worked on. */
export function createWorker (options: WorkerOptions): Worker {
  const { queue, workOnJob, logger, concurrency, leaseMs, pollIntervalMs = 1_000, finishMs = 4_000, tellMs = 1_000, logMs = 10_000 } = options
  const stopping = new AbortController()
  const handingBack = new AbortController()
  // One hand is never given to what may take hours, and one at most to what takes a moment but could wait; so there are two at least.
  const hands = Math.max(2, concurrency)
  const inHand = new Map<Promise<void>, Job['kind']>()
  let lastError: string | undefined
  let running: Promise<void> | undefined
  let isWoken = false
  let interruptWait = () => {}

  function wake (): void {
    isWoken = true
    interruptWait()
  }

  async function wait (ms: number): Promise<void> {
    if (isWoken || stopping.signal.aborted) return
    const interrupted = new AbortController()
    interruptWait = () => interrupted.abort()
    await pause(ms, interrupted.signal)
  }

  async function run (job: Job): Promise<void> {
    const { lease, release } = holdLease(job)
    try {
      await withCorrelationId(job.correlationId ?? job.recordingId, () => workOnJob(lease))
    } catch (err) {
      logger.warn({ err, recordingId: job.recordingId, job: job.kind }, 'job left to its lease')
    } finally {
      release()
    }
  }

  function holdLease (job: Job): { lease: Lease, release: () => void } {
    const lost = new AbortController()
    const expireLater = () => setTimeout(() => lost.abort(new LeaseLost()), leaseMs).unref()
    // Started before the database starts its own clock: ours can only be early.
    let expiry = expireLater()

    async function renew (): Promise<void> {
      const next = expireLater()
      const isOurs = await queue.renew(job).catch(error => {
        clearTimeout(next)
        throw error
      })
      clearTimeout(expiry)
      expiry = next
      if (!isOurs) lost.abort(new LeaseLost())
    }

    const timer = setInterval(() => {
      renew().catch(err => logger.warn({ err, recordingId: job.recordingId }, 'lease not renewed'))
    }, leaseMs / 3).unref()
    return {
      lease: {
        job,
        signal: AbortSignal.any([lost.signal, handingBack.signal]),
        async confirm () {
          await renew()
          lost.signal.throwIfAborted()
        },
        tell: progressOf(job),
      },
      release () {
        clearInterval(timer)
        clearTimeout(expiry)
      },
    }
  }

  function progressOf (job: Job): Lease['tell'] {
    let [toldMs, loggedMs] = [Date.now(), Date.now()]
    return progress => {
      const nowMs = Date.now()
      if (nowMs - toldMs < tellMs) return
      toldMs = nowMs
      queue.noteProgress(job, progress).catch(err => logger.warn({ err, recordingId: job.recordingId }, 'progress not noted'))
      if (nowMs - loggedMs < logMs) return
      loggedMs = nowMs
      logger.info({ recordingId: job.recordingId, job: job.kind, item: job.item, progress: Math.round(progress * 100) / 100 }, 'job under way')
    }
  }

  async function take (): Promise<number> {
    const count = (wanted: Job['kind']): number => [...inHand.values()].filter(kind => kind === wanted).length
    const jobs = await queue.claim(hands - inHand.size, { measure: 1 - count('measure'), encode: hands - 1 - count('encode') })
    for (const job of jobs) {
      const work: Promise<void> = run(job).finally(() => {
        inHand.delete(work)
        wake()
      })
      inHand.set(work, job.kind)
    }
    return jobs.length
  }

  async function loop (): Promise<void> {
    let delays = backoff({ firstMs: 200, maxMs: 5_000 })
    while (!stopping.signal.aborted) {
      isWoken = false
      try {
        const taken = inHand.size < hands ? await take() : 0
        lastError = undefined
        delays = backoff({ firstMs: 200, maxMs: 5_000 })
        if (taken === 0) await wait(pollIntervalMs)
      } catch (err) {
        const delayMs = delays.next().value
        lastError = err instanceof Error ? err.message : String(err)
        logger.warn({ err, delayMs }, 'no jobs taken')
        await pause(delayMs, stopping.signal)
      }
    }
  }

  return {
    start () {
      running ??= loop()
    },
    wake,
    check: () => ({ isOk: true, inHand: inHand.size, ...(lastError === undefined ? {} : { lastError }) }),
    async stop () {
      stopping.abort()
      interruptWait()
      await running
      const timer = setTimeout(() => handingBack.abort(new Error('the service stops')), finishMs)
      while (inHand.size > 0) await Promise.all(inHand.keys())
      clearTimeout(timer)
    },
  }
}
