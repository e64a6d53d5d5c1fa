import { issuedTokenSchema, jwksSchema } from '@tacet/contracts'
import type { HttpApp } from '@tacet/service-kit'
import { z } from 'zod'
import type { AppDependencies } from '../app.ts'
import { callerOf, requireOperator } from '../authentication.ts'
import { described, errors, noContent } from '../schemas.ts'

const tag = 'tokens'

export function tokenRoutes (app: HttpApp, { useCases }: AppDependencies): void {
  app.post('/tokens', {
    schema: { ...described('A JWT for a quarter of an hour, in exchange for the key that asks', tag), response: { 201: issuedTokenSchema, ...errors() } },
  }, async (request, reply) => reply.code(201).header('cache-control', 'no-store').send(await useCases.issueToken(callerOf(request))))

  app.delete('/signing-keys/:kid', {
    schema: {
      ...described('Believe nothing more that a former key signed (operator)', tag),
      params: z.object({ kid: z.string().regex(/^[\w-]{1,200}$/) }),
      response: { 204: noContent, ...errors('not-found', 'in-use') },
    },
  }, async (request, reply) => {
    requireOperator(callerOf(request))
    await useCases.retireSigningKey(callerOf(request), request.params.kid)
    return reply.code(204).send(null)
  })
}

/** Needs no token. */
export function publicRoutes (app: HttpApp, { useCases }: AppDependencies): void {
  app.get('/jwks.json', {
    schema: { summary: 'The public keys of Tacet\'s JWTs', tags: [tag], security: [], response: { 200: jwksSchema, ...errors() } },
  }, async (_request, reply) => reply.header('cache-control', 'public, max-age=300').send({ keys: await useCases.readSigningKeys() }))
}
