import { recordingPageSchema, recordingQuerySchema, recordingViewSchema, timelineSchema } from '@tacet/contracts'
import { principalOf, type HttpApp } from '@tacet/service-kit'
import type { FastifyRequest } from 'fastify'
import { scopeOf } from '../domain/access.ts'
import type { ReadRecording } from '../usecases/read-recording.ts'
import { sendAudio } from './audio.ts'
import { audioContent, described, errors, recordingParams } from './schemas.ts'

const scopeOfRequest = (request: FastifyRequest) => scopeOf(principalOf(request))

export function recordingRoutes (app: HttpApp, { readRecording }: { readRecording: ReadRecording }): void {
  app.get('/recordings', {
    schema: { ...described('The recordings you may see, the latest calls first'), querystring: recordingQuerySchema, response: { 200: recordingPageSchema, ...errors() } },
  }, async request => await readRecording.list(scopeOfRequest(request), request.query))

  app.get('/recordings/:recordingId', {
    schema: { ...described('A recording'), params: recordingParams, response: { 200: recordingViewSchema, ...errors('recording-not-found', 'recording-deleted') } },
  }, async request => await readRecording.view(request.params.recordingId, scopeOfRequest(request)))

  app.get('/recordings/:recordingId/timeline', {
    schema: { ...described('Where every stretch of a recording was in the call'), params: recordingParams, response: { 200: timelineSchema, ...errors('recording-not-found', 'recording-deleted', 'not-ready') } },
  }, async request => await readRecording.timeline(request.params.recordingId, scopeOfRequest(request)))

  app.route({
    method: ['GET', 'HEAD'],
    url: '/recordings/:recordingId/audio',
    schema: {
      ...described('The audio, with Range and conditional requests'),
      params: recordingParams,
      response: { 200: audioContent('All of it'), 206: audioContent('The part that Range asked for'), ...errors('recording-not-found', 'recording-deleted', 'not-ready', 'range-not-satisfiable') },
    },
    handler: async (request, reply) => await sendAudio(request, reply, await readRecording.audio(request.params.recordingId, scopeOfRequest(request))),
  })
}
