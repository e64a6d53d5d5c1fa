import type { HttpApp } from '@tacet/service-kit'
import { z } from 'zod'
import type { AppDependencies } from '../app.ts'
import { callerOf, requireOperator } from '../authentication.ts'
import { described, errors } from '../schemas.ts'

const republishedSchema = z.object({ companies: z.int(), entities: z.int() })

export function operationRoutes (app: HttpApp, { useCases }: AppDependencies): void {
  app.post('/republish', {
    schema: {
      ...described('Announce all settings and credentials again, for copies that lost them (operator)', 'operations'),
      response: { 202: republishedSchema, ...errors() },
    },
  }, async (request, reply) => {
    requireOperator(callerOf(request))
    return reply.code(202).send(await useCases.republishSettings(callerOf(request)))
  })
}
