import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { withClient } from './postgres.ts'

const journalSchema = z.object({ entries: z.array(z.object({ when: z.int() })).min(1) })
const noSuchTable = '42P01'

/** Whether the newest of a service's migrations has been applied; told as the migrations themselves tell it. */
export async function isMigrated ({ url, schema, folder }: { url: string, schema: string, folder: string }): Promise<boolean> {
  const { entries } = journalSchema.parse(JSON.parse(readFileSync(join(folder, 'meta/_journal.json'), 'utf8')))
  const newest = Math.max(...entries.map(({ when }) => when))
  return await withClient(url, async (client) => {
    const { rows } = await client.query<{ last: string | null }>(`select max(created_at) as last from ${schema}.__drizzle_migrations`)
    return Number(rows[0]?.last ?? -1) >= newest
  }).catch((error: unknown) => {
    if ((error as { code?: string }).code === noSuchTable) return false
    throw error
  })
}
