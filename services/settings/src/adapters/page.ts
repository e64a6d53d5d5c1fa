import { problem } from '@tacet/contracts'
import { ilike, or, sql, type SQL, type SQLWrapper } from 'drizzle-orm'
import { z } from 'zod'
import type { Page } from '../usecases/ports.ts'

/** What a list is ordered by, its last column making each row unique. */
export type CursorKind = 'text' | 'id' | 'text-and-id' | 'position'

const textSchema = z.string().max(300).regex(/^\P{Cc}*$/u)
const idSchema = z.guid()
const cursorSchemas = { text: z.tuple([textSchema]), id: z.tuple([idSchema]), 'text-and-id': z.tuple([textSchema, idSchema]), position: z.tuple([z.string().regex(/^\d{1,15}$/)]) }

/** The rows after the cursor, for a list ordered by these columns; undefined without a cursor. */
export function after (cursor: string | undefined, kind: CursorKind, ...columns: SQLWrapper[]): SQL | undefined {
  if (cursor === undefined) return undefined
  const key = decode(cursor, kind).map((value, index) => kind === 'id' || index === 1 ? sql`${value}::uuid` : sql`${value}`)
  return sql`(${sql.join(columns, sql`, `)}) > (${sql.join(key, sql`, `)})`
}

/** The rows, of which one more than `limit` was asked for, as a page. */
export function toPage<Row, Entity> (rows: Row[], limit: number, toEntity: (row: Row) => Entity, keyOf: (row: Row) => string[]): Page<Entity> {
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  const hasMore = rows.length > limit && last !== undefined
  return { items: items.map(toEntity), nextCursor: hasMore ? Buffer.from(JSON.stringify(keyOf(last))).toString('base64url') : null }
}

/** Columns that hold the text, whatever the case; undefined without a text. */
export function holding (text: string | undefined, ...columns: (Parameters<typeof ilike>[0] | SQL)[]): SQL | undefined {
  if (text === undefined) return undefined
  const pattern = `%${text.replaceAll(/[\\%_]/g, '\\$&')}%`
  return or(...columns.map(column => ilike(column as SQL, pattern)))
}

/** What a cursor was made of; refuses what was not made for such a list. */
export function decode (cursor: string, kind: CursorKind): string[] {
  try {
    return cursorSchemas[kind].parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()))
  } catch {
    const message = 'not a cursor of this list'
    throw problem('invalid-request', `cursor: ${message}`, { errors: [{ field: 'cursor', message }] })
  }
}
