import { audioFormatSchema, recordingPageSchema, recordingQuerySchema, recordingViewSchema, timelineSchema } from '@tacet/contracts'
import type { HttpApp } from '@tacet/service-kit'
import { z } from 'zod'
import type { Listen } from '../usecases/listen.ts'
import type { ReadRecording } from '../usecases/read-recording.ts'
import { sendAudio } from './audio.ts'
import { askerOf, scopeOfRequest } from './requests.ts'
import { audioContent, described, errors, recordingParams } from './schemas.ts'

const gone = ['recording-not-found', 'recording-deleted'] as const

const audioQuery = z.object({
  format: audioFormatSchema.default('wav'),
  download: z.enum(['true', 'false']).default('false').describe('To be saved rather than played; the audit log tells them apart'),
})

export function recordingRoutes (app: HttpApp, { readRecording, listen }: { readRecording: ReadRecording, listen: Listen }): void {
  app.get('/recordings', {
    schema: { ...described('The recordings you may see, the latest calls first'), querystring: recordingQuerySchema, response: { 200: recordingPageSchema, ...errors() } },
  }, async request => await readRecording.list(scopeOfRequest(request), request.query))

  app.get('/recordings/:recordingId', {
    schema: { ...described('A recording'), params: recordingParams, response: { 200: recordingViewSchema, ...errors(...gone) } },
  }, async request => await readRecording.view(request.params.recordingId, scopeOfRequest(request)))

  app.get('/recordings/:recordingId/timeline', {
    schema: { ...described('Where every stretch of a recording was in the call'), params: recordingParams, response: { 200: timelineSchema, ...errors(...gone, 'not-ready') } },
  }, async request => await readRecording.timeline(request.params.recordingId, scopeOfRequest(request)))

  app.route({
    method: ['GET', 'HEAD'],
    url: '/recordings/:recordingId/audio',
    schema: {
      ...described('The audio, with Range and conditional requests'),
      params: recordingParams,
      querystring: audioQuery,
      response: { 200: audioContent('All of it'), 206: audioContent('The part that Range asked for'), ...errors(...gone, 'not-found', 'not-ready', 'precondition-failed', 'range-not-satisfiable', 'encoder-missing', 'encoding-failed') },
    },
    handler: async (request, reply) => {
      const { format, download } = request.query
      return await sendAudio(request, reply, await listen.byToken(request.params.recordingId, askerOf(request), { format, isDownload: download === 'true' }))
    },
  })
}
