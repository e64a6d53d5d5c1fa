import { pipeline, Readable } from 'node:stream'
import { stringify } from 'csv-stringify'
import type { FastifyReply } from 'fastify'

/** Streams rows as CSV. Cells that are to be text in a spreadsheet have been made so (`asText`). */
export function sendCsv (reply: FastifyReply, filename: string, columns: string[], rows: AsyncIterable<Record<string, unknown>>): FastifyReply {
  // Semicolons are quoted too: many a program takes them for the separator.
  const csv = stringify({ header: true, columns, quoted_match: /;/, cast: { boolean: String, date: date => date.toISOString() } })
  // Once the answer has begun, an error can only cut it short; the caller sees that the body did not end.
  pipeline(Readable.from(rows), csv, error => { if (error) reply.log.warn({ err: error }, 'csv not sent to its end') })
  return reply.header('content-type', 'text/csv; charset=utf-8').header('content-disposition', `attachment; filename="${filename}"`).send(csv)
}
