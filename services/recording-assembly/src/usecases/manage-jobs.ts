import { isProblem, problem, type JobQuery, type JobView } from '@tacet/contracts'
import { mayManage, scopeOf } from '../domain/access.ts'
import { entryOf, entryOfAttempt, type Asker, type Moment } from '../domain/asker.ts'
import type { AuditLog, JobDesk, Page } from './ports.ts'
import { present } from './read-recording.ts'

export type ManageJobs = ReturnType<typeof createManageJobs>

/** What is still to be done and what was given up, for those who look after recordings. Throws problems. */
export function createManageJobs ({ desk, audit, moment }: { desk: JobDesk, audit: AuditLog, moment: () => Moment }) {
  function scopeOfManager (asker: Asker) {
    if (!mayManage(asker)) throw problem('forbidden')
    return scopeOf(asker)
  }

  async function rerun (jobId: string, asker: Asker): Promise<JobView> {
    const now = moment()
    const job = await desk.rerun(jobId, scopeOfManager(asker), ({ state, kind, item, lastError }, recording) => {
      present(recording)
      if (state !== 'parked') throw problem('job-not-parked', `it is ${state}`)
      return entryOf(asker, recording, { action: 'job.rerun', outcome: 'done', detail: { jobId, kind, item, parkedBecause: lastError } }, now)
    })
    if (job === null) throw problem('job-not-found')
    return job
  }

  return {
    async list (asker: Asker, query: JobQuery): Promise<Page<JobView>> {
      return await desk.list(scopeOfManager(asker), query)
    },
    async find (jobId: string, asker: Asker): Promise<JobView> {
      const job = await desk.find(jobId, scopeOfManager(asker))
      if (job === null) throw problem('job-not-found')
      return job
    },
    /** Lets a parked job begin anew; that is in the audit log, and so is who was not allowed to. */
    async rerun (jobId: string, asker: Asker): Promise<JobView> {
      try {
        return await rerun(jobId, asker)
      } catch (error) {
        if (isProblem(error) && (error.code === 'forbidden' || error.code === 'job-not-found')) {
          await audit.append(entryOfAttempt(asker, { action: 'job.rerun', outcome: 'refused', code: error.code, detail: { jobId } }, moment()))
        }
        throw error
      }
    },
  }
}
