import { mergePatchSchema } from '@tacet/contracts'
import type { HttpApp } from '@tacet/service-kit'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { z } from 'zod'
import type { Caller } from '../../domain/caller.ts'
import type { Conditional, Writer } from '../../usecases/write-entity.ts'
import { callerOf } from '../authentication.ts'
import { preconditionOf, sendEntity, sendWritten } from '../conditional.ts'
import { companyParams, conditionalHeaders, described, errors, noContent } from '../schemas.ts'

export interface EntityRoutes<Value extends { version: number }, Fields> {
  /** `/companies/:companyId/numbers/:numberId` */
  path: string
  /** Where a new one is posted to, under an id that we draw: `/companies/:companyId/numbers`. */
  collection?: string
  tag: string
  /** `a number` */
  noun: string
  params: z.ZodType
  schema: z.ZodType
  fields: z.ZodType
  writer: Writer<Value, Fields>
  idsOf: (params: unknown) => { companyId: string, id: string }
  find: (ids: { companyId: string, id: string }) => Promise<Value>
  idOf: (entity: Value) => string
  /** Throws when the caller may not. */
  authorize: (caller: Caller, companyId: string, action: 'read' | 'write' | 'delete') => void
}

/** GET, PUT, PATCH and DELETE of one entity, with ETag and preconditions. */
export function entityRoutes<Value extends { version: number }, Fields> (app: HttpApp, routes: EntityRoutes<Value, Fields>): void {
  const { path, collection, tag, noun, params, schema, fields, writer, idsOf, idOf, find, authorize } = routes
  const common = { params, headers: conditionalHeaders }

  function targetOf (request: FastifyRequest, action: 'write' | 'delete'): Conditional {
    const target = { caller: callerOf(request), ...idsOf(request.params), precondition: preconditionOf(request) }
    authorize(target.caller, target.companyId, action)
    return target
  }

  app.get(path, {
    schema: { ...described(`Read ${noun}`, tag), ...common, response: { 200: schema, 304: noContent, ...errors('not-found') } },
  }, async (request: FastifyRequest, reply: FastifyReply) => {
    const ids = idsOf(request.params)
    authorize(callerOf(request), ids.companyId, 'read')
    return sendEntity(request, reply, await find(ids))
  })

  if (collection !== undefined) {
    app.post(collection, {
      schema: { ...described(`Create ${noun}`, tag), params: companyParams, body: fields, response: { 201: schema, ...errors('not-found', 'already-exists', 'not-yours') } },
    }, async (request: FastifyRequest, reply: FastifyReply) => {
      const { companyId } = request.params as { companyId: string }
      authorize(callerOf(request), companyId, 'write')
      const written = await writer.create({ caller: callerOf(request), companyId }, request.body as Fields)
      return sendWritten(reply.header('location', `${request.routeOptions.url?.replace(':companyId', companyId)}/${idOf(written.entity)}`), written)
    })
  }

  app.put(path, {
    schema: { ...described(`Replace ${noun}; an operator may create one under an id of their own`, tag), ...common, body: fields, response: { 200: schema, 201: schema, ...errors('not-found', 'already-exists', 'not-yours', 'precondition-failed') } },
  }, async (request: FastifyRequest, reply: FastifyReply) =>
    sendWritten(reply, await writer.put(targetOf(request, 'write'), request.body as Fields)))

  app.patch(path, {
    schema: { ...described(`Change parts of ${noun} (JSON Merge Patch)`, tag), ...common, consumes: ['application/merge-patch+json', 'application/json'], body: mergePatchSchema, response: { 200: schema, ...errors('not-found', 'already-exists', 'not-yours', 'precondition-failed') } },
  }, async (request: FastifyRequest, reply: FastifyReply) =>
    sendWritten(reply, await writer.patch(targetOf(request, 'write'), request.body)))

  app.delete(path, {
    schema: { ...described(`Delete ${noun}, and what belongs to it`, tag), ...common, response: { 204: noContent, ...errors('not-found', 'precondition-failed') } },
  }, async (request: FastifyRequest, reply: FastifyReply) => {
    await writer.delete(targetOf(request, 'delete'))
    return reply.code(204).send(null)
  })
}
