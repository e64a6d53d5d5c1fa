import { linkOrderSchema, linkSchema } from '@tacet/contracts'
import { deviceOf, type HttpApp } from '@tacet/service-kit'
import { z } from 'zod'
import type { Listen } from '../usecases/listen.ts'
import { sendAudio } from './audio.ts'
import { askerOf } from './requests.ts'
import { audioContent, described, errors, recordingParams } from './schemas.ts'

export function linkMakingRoutes (app: HttpApp, { listen }: { listen: Listen }): void {
  app.post('/recordings/:recordingId/links', {
    schema: {
      ...described('A link by which anybody may hear the recording for a short time'),
      params: recordingParams,
      body: linkOrderSchema,
      response: { 201: linkSchema, ...errors('recording-not-found', 'recording-deleted', 'not-found', 'not-ready', 'links-disabled') },
    },
  }, async (request, reply) => reply.code(201).send(await listen.makeLink(request.params.recordingId, askerOf(request), request.body)))
}

/** Needs no token: the link is one. */
export function linkRoutes (app: HttpApp, { listen }: { listen: Listen }): void {
  app.route({
    method: ['GET', 'HEAD'],
    url: '/linked-audio',
    schema: {
      summary: 'The audio that a link leads to, with Range and conditional requests',
      tags: ['recordings'],
      querystring: z.object({ link: z.string().max(2_000) }),
      response: { 200: audioContent('All of it'), 206: audioContent('The part that Range asked for'), ...errors('link-invalid', 'recording-deleted', 'recording-not-found', 'not-ready', 'range-not-satisfiable') },
    },
    handler: async (request, reply) => await sendAudio(request, reply, await listen.byLink(request.query.link, { address: request.ip, device: deviceOf(request, { kind: 'link' }) })),
  })
}
