import { drizzle } from 'drizzle-orm/node-postgres'
import { readMigrationFiles, type MigrationMeta } from 'drizzle-orm/migrator'
import { sql } from 'drizzle-orm'
import pg from 'pg'
import type { Logger } from '../logging.ts'
import type { Db } from './database.ts'

export interface MigrationOptions {
  url: string
  /** The service's schema; it also holds the list of what was applied. */
  schema: string
  /** The folder drizzle-kit writes. */
  folder: string
  logger: Logger
  /** How long to wait for another migration to finish. */
  lockTimeoutMs?: number
}

/**
 * Applies what is missing, all in one transaction, one process at a time; returns how many were applied.
 * Drizzle's own migrate() takes no lock and insists on CREATE SCHEMA, a right our roles don't have over the database.
 */
export async function runMigrations ({ url, schema, folder, logger, lockTimeoutMs = 60_000 }: MigrationOptions): Promise<number> {
  const client = new pg.Client({ connectionString: url, application_name: `${schema}-migrate`, connectionTimeoutMillis: 5_000 })
  client.on('error', err => logger.warn({ err }, 'database connection lost'))
  await client.connect()
  try {
    await client.query(`set lock_timeout = ${Math.trunc(lockTimeoutMs)}`)
    await client.query('select pg_advisory_lock(hashtext($1))', [`tacet:migrate:${schema}`])
    const applied = await applyMissing(drizzle(client), schema, readMigrationFiles({ migrationsFolder: folder }))
    logger.info({ schema, applied }, 'database migrated')
    return applied
  } finally {
    await client.end()
  }
}

async function applyMissing (db: Db, schema: string, migrations: MigrationMeta[]): Promise<number> {
  const journal = sql`${sql.identifier(schema)}.${sql.identifier('__drizzle_migrations')}`
  return await db.transaction(async tx => {
    const existing = await tx.execute(sql`select 1 from pg_namespace where nspname = ${schema}`)
    if (existing.rows.length === 0) await tx.execute(sql`create schema ${sql.identifier(schema)}`)
    await tx.execute(sql`create table if not exists ${journal} (id serial primary key, hash text not null, created_at bigint)`)
    const last = await tx.execute<{ created_at: string }>(sql`select created_at from ${journal} order by created_at desc limit 1`)
    const lastApplied = Number(last.rows[0]?.created_at ?? -1)
    const missing = migrations.filter(({ folderMillis }) => folderMillis > lastApplied)
    for (const migration of missing) {
      for (const statement of migration.sql.filter(text => !isCreateSchema(text, schema))) await tx.execute(sql.raw(statement))
      await tx.execute(sql`insert into ${journal} (hash, created_at) values (${migration.hash}, ${migration.folderMillis})`)
    }
    return missing.length
  })
}

/** drizzle-kit begins with this statement; by then the schema exists. */
function isCreateSchema (statement: string, schema: string): boolean {
  return new RegExp(`^\\s*create schema (if not exists )?"?${schema}"?;?\\s*$`, 'i').test(statement)
}
