import { problem, type AudioFormat } from '@tacet/contracts'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Audio } from '../usecases/listen.ts'
import { allowsRange, evaluate, parseRange, type Preconditions } from './conditional.ts'

export const mediaTypes: Record<AudioFormat, string> = { wav: 'audio/wav', opus: 'audio/ogg', mp3: 'audio/mpeg', flac: 'audio/flac' }

/** Answers GET and HEAD as RFC 9110 has it; the digest is the entity tag. */
export async function sendAudio (request: FastifyRequest, reply: FastifyReply, { bytes, sha256, modifiedAt, format, fileName, note, read }: Audio): Promise<FastifyReply> {
  const { range: rangeHeader, 'if-range': ifRange } = request.headers
  const etag = `"${sha256}"`
  // `private`: whoever may hear it today may be refused tomorrow, so every use asks again.
  reply.headers({ etag, 'accept-ranges': 'bytes', 'cache-control': 'private, no-cache', ...(modifiedAt !== null && { 'last-modified': modifiedAt.toUTCString() }) })
  const isPlayed = request.method === 'GET'
  const verdict = evaluate(request.headers as Preconditions, { etag, modifiedAt })
  if (verdict === 'failed') throw problem('precondition-failed')
  if (verdict === 'not-modified') {
    // Who asks has it already, and is about to play it.
    if (isPlayed) await note()
    return reply.code(304).send()
  }

  const range = isPlayed && allowsRange(ifRange as string | undefined, etag) ? parseRange(rangeHeader, bytes) : null
  if (range === 'unsatisfiable') {
    reply.header('content-range', `bytes */${bytes}`)
    throw problem('range-not-satisfiable', `the file has ${bytes} bytes`)
  }
  const { start, end } = range ?? { start: 0, end: bytes - 1 }
  const stream = isPlayed ? await read({ start, end }) : null
  if (stream !== null) {
    await note().catch(error => {
      stream.destroy()
      throw error
    })
  }
  reply.code(range === null ? 200 : 206).headers({ 'content-type': mediaTypes[format], 'content-length': end - start + 1 })
  if (fileName !== null) reply.header('content-disposition', `attachment; filename="${fileName}"`)
  if (range !== null) reply.header('content-range', `bytes ${start}-${end}/${bytes}`)
  return reply.send(stream ?? undefined)
}
