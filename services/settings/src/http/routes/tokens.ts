import { issuedTokenSchema, jwksSchema } from '@tacet/contracts'
import type { HttpApp } from '@tacet/service-kit'
import type { AppDependencies } from '../app.ts'
import { callerOf } from '../authentication.ts'
import { described, errors } from '../schemas.ts'

const tag = 'tokens'

export function tokenRoutes (app: HttpApp, { useCases }: AppDependencies): void {
  app.post('/tokens', {
    schema: { ...described('A JWT for a quarter of an hour, in exchange for the key that asks', tag), response: { 201: issuedTokenSchema, ...errors() } },
  }, async (request, reply) => reply.code(201).header('cache-control', 'no-store').send(await useCases.issueToken(callerOf(request))))
}

/** Needs no token. */
export function publicRoutes (app: HttpApp, { useCases }: AppDependencies): void {
  app.get('/jwks.json', {
    schema: { summary: 'The public keys of Tacet\'s JWTs', tags: [tag], security: [], response: { 200: jwksSchema, ...errors() } },
  }, async (_request, reply) => reply.header('cache-control', 'public, max-age=300').send({ keys: await useCases.readSigningKeys() }))
}
