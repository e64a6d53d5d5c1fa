import type { FastifyReply, FastifyRequest } from 'fastify'
import { etagOf, type Precondition, type Tagged } from '../domain/precondition.ts'

const tagsOf = (header: string): string[] => header.split(',').map(tag => tag.trim()).filter(tag => tag !== '')

/** What `If-Match` and `If-None-Match` demand of a change. A weak tag never matches: RFC 9110, 13.1.1. */
export function preconditionOf ({ headers }: FastifyRequest): Precondition {
  const ifMatch = headers['if-match']
  return {
    ...(ifMatch === undefined ? {} : { ifMatch: ifMatch.trim() === '*' ? 'any' : tagsOf(ifMatch) }),
    ...(headers['if-none-match']?.trim() === '*' ? { ifNoneMatch: 'any' } : {}),
  }
}

/** Answers with the entity and its ETag, or 304 when the caller has this version. */
export function sendEntity<Entity extends Tagged> (request: FastifyRequest, reply: FastifyReply, entity: Entity): FastifyReply {
  const etag = etagOf(entity)
  const known = tagsOf(request.headers['if-none-match'] ?? '').map(tag => tag.replace(/^W\//, ''))
  reply.header('etag', etag)
  return known.includes(etag) || known.includes('*') ? reply.code(304).send() : reply.code(200).send(entity)
}

/** Answers a change: 201 for what is new. */
export function sendWritten<Entity extends Tagged> (reply: FastifyReply, { entity, isNew }: { entity: Entity, isNew: boolean }): FastifyReply {
  return reply.header('etag', etagOf(entity)).code(isNew ? 201 : 200).send(entity)
}
