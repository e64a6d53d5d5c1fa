import { deletedSchema, deletionSchema, holdSchema, purgeSchema, recordingViewSchema } from '@tacet/contracts'
import type { HttpApp } from '@tacet/service-kit'
import { toView } from '../domain/recording.ts'
import type { ManageRecording } from '../usecases/manage-recording.ts'
import { askerOf } from './requests.ts'
import { described, errors, recordingParams } from './schemas.ts'

const refusals = ['forbidden', 'recording-not-found', 'recording-deleted'] as const

/** For owners, admins, and services with the scope `recordings:manage`. */
export function manageRoutes (app: HttpApp, { manageRecording }: { manageRecording: ManageRecording }): void {
  app.post('/recordings/:recordingId/delete', {
    schema: { ...described('Deletes a recording for ever'), params: recordingParams, body: deletionSchema, response: { 202: deletedSchema, ...errors(...refusals, 'legal-hold') } },
  }, async (request, reply) => {
    const { recordingId, deletedAt } = await manageRecording.remove(request.params.recordingId, askerOf(request), request.body)
    return reply.code(202).send({ recordingId, deletedAt: deletedAt?.toISOString() ?? '' })
  })

  app.post('/recordings/:recordingId/purge', {
    schema: {
      ...described('Cuts something out for ever: a new version is made, and the bytes of the old ones are deleted'),
      params: recordingParams,
      body: purgeSchema,
      response: { 202: recordingViewSchema, ...errors(...refusals, 'legal-hold', 'not-ready', 'nothing-to-purge', 'precondition-failed') },
    },
  }, async (request, reply) => reply.code(202).send(toView(await manageRecording.purge(request.params.recordingId, askerOf(request), request.body))))

  app.post('/recordings/:recordingId/hold', {
    schema: { ...described('Keeps a recording, whatever else is said, until the hold is lifted'), params: recordingParams, body: holdSchema, response: { 200: recordingViewSchema, ...errors(...refusals, 'already-on-hold') } },
  }, async request => toView(await manageRecording.hold(request.params.recordingId, askerOf(request), request.body.reason)))

  app.post('/recordings/:recordingId/hold/lift', {
    schema: { ...described('Lifts the hold'), params: recordingParams, body: holdSchema, response: { 200: recordingViewSchema, ...errors(...refusals, 'not-on-hold') } },
  }, async request => toView(await manageRecording.lift(request.params.recordingId, askerOf(request), request.body.reason)))
}
