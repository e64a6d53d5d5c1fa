import { test } from 'tap'
import { createLogger } from '@tacet/service-kit'
import { isAlarmDue } from '../../src/domain/waiting.ts'
import { AssemblyImpossible, DependencyUnavailable, LeaseLost, NotYet } from '../../src/usecases/errors.ts'
import type { JobKind } from '@tacet/contracts'
import type { Job, JobQueue, Recordings } from '../../src/usecases/ports.ts'
import { createWorkOnJob } from '../../src/usecases/work-on-job.ts'

const logger = createLogger({ name: 'test', level: 'silent' })
const jobOf = (kind: JobKind, attempts = 1, postponements = 0): Job => ({ jobId: 'j', kind, item: '', recordingId: 'r', companyId: 'c', attempts, postponements, leaseId: 'l', payload: {}, correlationId: null })

/** What becomes of a job whose handler does this. */
async function outcomeOf (job: Job, handler: () => Promise<void>, signal = new AbortController().signal): Promise<string[]> {
  const log: string[] = []
  const queue = { putBack: async (_job, { delayMs, isBlameless }) => { log.push(`back in ${delayMs}${isBlameless ? ', blameless' : ''}`) } } as Partial<JobQueue> as JobQueue
  const recordings = { fail: async (_job, code) => { log.push(`failed: ${code}`) } } as Partial<Recordings> as Recordings
  const work = createWorkOnJob({
    queue,
    recordings,
    handlers: { check: handler, assemble: handler, measure: handler, encode: async () => {}, 'delete-segments': handler, purge: handler, erase: handler },
    alarms: { raise: (alarm, { callId, job, away }) => { log.push(`${alarm}: ${job} of ${callId}${away === undefined ? '' : ` (${away})`}`) } },
    logger,
    maxAttempts: 3,
    retryDelays: { firstMs: 100, maxMs: 1_000 },
    random: () => 0,
  })
  await work({ job, signal, confirm: async () => {}, tell: () => {} })
  return log
}
const failing = (error: Error) => async () => { throw error }

test('a job that succeeds is left to its handler', async t => {
  t.same(await outcomeOf(jobOf('assemble'), async () => {}), [])
})

test('what is away is waited for, ever longer, without end and without blame', async t => {
  for (const [postponements, delayMs] of [[0, 100], [1, 200], [2, 400], [50, 1_000]] as const) {
    t.same(await outcomeOf(jobOf('assemble', 3, postponements), failing(new DependencyUnavailable('segments', 'away'))), [`back in ${delayMs}, blameless`])
  }
  t.same(await outcomeOf(jobOf('assemble'), failing(Object.assign(new Error('no database'), { code: 'ECONNREFUSED' }))), ['back in 100, blameless'])
})

test('somebody hears of a job that has waited for five minutes, and every hour again, but not with each attempt', async t => {
  const delays = { firstMs: 500, maxMs: 60_000 }
  t.same(Array.from({ length: 200 }, (_, postponements) => postponements).filter(postponements => isAlarmDue(postponements, delays)), [13, 93, 173])
  const away = failing(new DependencyUnavailable('store', 'no disk'))
  t.same(await outcomeOf(jobOf('purge', 1, 403), away), ['job-waiting: purge of r (store)', 'back in 1000, blameless'])
  t.same(await outcomeOf(jobOf('purge', 1, 404), away), ['back in 1000, blameless'])
  t.same(await outcomeOf(jobOf('erase', 1, 403), failing(Object.assign(new Error('no database'), { code: 'ECONNREFUSED' }))), ['job-waiting: erase of r (database)', 'back in 1000, blameless'])
  t.same(await outcomeOf(jobOf('erase', 1, 403), failing(new NotYet('something is still being made of the recording'))), ['back in 1000, blameless'], 'nothing is away')
})

test('so is something else that has to come to its end first', async t => {
  t.same(await outcomeOf(jobOf('erase', 3, 2), failing(new NotYet('something is still being made of the recording'))), ['back in 400, blameless'])
})

test('what fails is tried again, and given up in the end', async t => {
  t.same(await outcomeOf(jobOf('assemble', 1), failing(new Error('bug'))), ['back in 100'])
  t.same(await outcomeOf(jobOf('assemble', 2), failing(new Error('bug'))), ['back in 200'])
  t.same(await outcomeOf(jobOf('assemble', 3), failing(new Error('bug'))), ['job-parked: assemble of r', 'failed: gave-up'])
})

test('a job that kills its process again and again is not begun once more', async t => {
  t.same(await outcomeOf(jobOf('assemble', 4), async () => { t.fail('it was begun') }), ['job-parked: assemble of r', 'failed: gave-up'])
})

test('deleting segments is never given up', async t => {
  t.same(await outcomeOf(jobOf('delete-segments', 1_000), failing(new Error('bug'))), ['back in 1000'])
})

test('what can not be is not tried again', async t => {
  t.same(await outcomeOf(jobOf('assemble'), failing(new AssemblyImpossible('unsupported', 'stereo'))), ['job-parked: assemble of r', 'failed: unsupported'])
})

test('a job of which the lease is lost is another\'s', async t => {
  t.same(await outcomeOf(jobOf('assemble'), failing(new LeaseLost())), [])
})

test('a job that was interrupted is handed back at once', async t => {
  t.same(await outcomeOf(jobOf('assemble'), failing(new Error('aborted')), AbortSignal.abort()), ['back in 0, blameless'])
})
