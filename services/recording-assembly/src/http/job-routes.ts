import { idSchema, jobPageSchema, jobQuerySchema, jobViewSchema } from '@tacet/contracts'
import type { HttpApp } from '@tacet/service-kit'
import { z } from 'zod'
import type { ManageJobs } from '../usecases/manage-jobs.ts'
import { askerOf } from './requests.ts'
import { described, errors } from './schemas.ts'

const params = z.object({ jobId: idSchema.toLowerCase() })

/** For owners, admins, and services with the scope `recordings:manage`. */
export function jobReadingRoutes (app: HttpApp, { manageJobs }: { manageJobs: ManageJobs }): void {
  app.get('/jobs', {
    schema: { ...described('What is still to be done and what was given up, the latest first; a job that is done is gone'), querystring: jobQuerySchema, response: { 200: jobPageSchema, ...errors('forbidden') } },
  }, async request => await manageJobs.list(askerOf(request), request.query))

  app.get('/jobs/:jobId', {
    schema: { ...described('A job, and how far it is'), params, response: { 200: jobViewSchema, ...errors('forbidden', 'job-not-found') } },
  }, async request => await manageJobs.find(request.params.jobId, askerOf(request)))
}

export function jobRoutes (app: HttpApp, { manageJobs }: { manageJobs: ManageJobs }): void {
  app.post('/jobs/:jobId/run', {
    schema: { ...described('Lets a parked job begin anew'), params, response: { 202: jobViewSchema, ...errors('forbidden', 'job-not-found', 'recording-deleted', 'job-not-parked') } },
  }, async (request, reply) => reply.code(202).send(await manageJobs.rerun(request.params.jobId, askerOf(request))))
}
