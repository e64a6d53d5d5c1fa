import { problem } from '@tacet/contracts'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Audio } from '../usecases/read-recording.ts'
import { allowsRange, isMatch, parseRange } from './conditional.ts'

/** Answers GET and HEAD as RFC 9110 has it; the digest is the entity tag. */
export async function sendAudio (request: FastifyRequest, reply: FastifyReply, { bytes, sha256, read }: Audio): Promise<FastifyReply> {
  const { range: rangeHeader, 'if-none-match': ifNoneMatch, 'if-range': ifRange } = request.headers
  const etag = `"${sha256}"`
  // `private`: whoever may hear it today may be refused tomorrow, so every use asks again.
  reply.headers({ etag, 'accept-ranges': 'bytes', 'cache-control': 'private, no-cache' })
  if (isMatch(ifNoneMatch, etag)) return reply.code(304).send()

  const range = request.method === 'GET' && allowsRange(ifRange as string | undefined, etag) ? parseRange(rangeHeader, bytes) : null
  if (range === 'unsatisfiable') {
    reply.header('content-range', `bytes */${bytes}`)
    throw problem('range-not-satisfiable', `the file has ${bytes} bytes`)
  }
  const { start, end } = range ?? { start: 0, end: bytes - 1 }
  reply.code(range === null ? 200 : 206).headers({ 'content-type': 'audio/wav', 'content-length': end - start + 1 })
  if (range !== null) reply.header('content-range', `bytes ${start}-${end}/${bytes}`)
  return request.method === 'HEAD' ? reply.send() : reply.send(await read({ start, end }))
}
