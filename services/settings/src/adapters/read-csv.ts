import { problem } from '@tacet/contracts'
import { parse, CsvError } from 'csv-parse'
import { Readable } from 'node:stream'
import type { CsvRow } from '../domain/csv-rows.ts'

const rowsAtMost = 5_000
const bytesAtMost = 2 * 1024 * 1024

export interface CsvLine {
  /** In the file, from 1; the header is the first. */
  line: number
  row: CsvRow
}

/** The rows of a CSV with a header, checked against the columns that may be there. Reads no more than it accepts. */
export async function readCsv (input: Readable, columns: readonly string[], required: readonly string[]): Promise<CsvLine[]> {
  const text = await readText(input)
  const parser = Readable.from([text]).pipe(parse({
    bom: true, columns: header => checkedHeader(header, columns, required), info: true, skip_empty_lines: true, max_record_size: 64 * 1024, relax_column_count_less: true, delimiter: delimiterOf(text),
  }))
  const lines: CsvLine[] = []
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: CsvRow, info: { lines: number } }>) {
      if (lines.length >= rowsAtMost) throw problem('payload-too-large', `at most ${rowsAtMost} rows: a longer file comes in parts, each with the header`)
      lines.push({ line: info.lines, row: record })
    }
  } catch (error) {
    throw error instanceof CsvError ? invalidCsv(String(error['lines'] ?? '?'), error.message) : error
  }
  return lines
}

async function readText (input: Readable): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of input.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes > bytesAtMost) throw problem('payload-too-large', `at most ${bytesAtMost} bytes: a longer file comes in parts, each with the header`)
      chunks.push(chunk)
    }
    return Buffer.concat(chunks)
  } finally {
    // Whoever still sends must not wait for us: they have an answer coming.
    input.resume()
  }
}

/** What separates the columns of the header separates all; no column's name holds either. */
function delimiterOf (text: Buffer): string {
  const [header = ''] = text.toString('utf8', 0, 4_096).trimStart().split(/[\r\n]/, 1)
  return /[,;]/.exec(header)?.[0] ?? ','
}

const invalidCsv = (line: string, message: string) => problem('invalid-request', `line ${line}: ${message}`, { errors: [{ field: 'body', message, line: Number(line) || 1, code: 'malformed-csv' }] })

function checkedHeader (header: string[], columns: readonly string[], required: readonly string[]): string[] {
  const names = header.map(name => name.trim())
  const unknown = names.filter(name => !columns.includes(name))
  const missing = required.filter(name => !names.includes(name))
  const twice = names.filter((name, index) => names.indexOf(name) !== index)
  const errors = [
    ...unknown.map(field => ({ field, message: 'not a known column', line: 1, code: 'unknown-column' })),
    ...missing.map(field => ({ field, message: 'this column is needed', line: 1, code: 'missing-column' })),
    ...twice.map(field => ({ field, message: 'the same column twice', line: 1, code: 'duplicate-column' })),
  ]
  if (errors.length > 0) throw problem('invalid-request', errors.map(({ field, message }) => `${field}: ${message}`).join('; '), { errors })
  return names
}
