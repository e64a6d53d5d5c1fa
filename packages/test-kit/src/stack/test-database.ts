import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import pg from 'pg'

export type RoleUrls = Record<'settings' | 'call_control' | 'recording_assembly', string>

export interface TestDatabase {
  name: string
  /** As superuser. */
  url: string
  /** As each service's role. */
  urls: RoleUrls
  drop: () => Promise<void>
}

const initSql = new URL('../../../../infra/postgres/init.sql', import.meta.url)

/** A fresh database on the stack's server, with the three schemas; the roles are the server's own. Not migrated. */
export async function createTestDatabase (postgres: { url: string, roles: RoleUrls }): Promise<TestDatabase> {
  const name = `test_${randomBytes(8).toString('hex')}`
  const inDatabase = (url: string) => Object.assign(new URL(url), { pathname: `/${name}` }).href
  await runSql(postgres.url, `create database ${name}`)
  await runSql(inDatabase(postgres.url), await readFile(initSql, 'utf8'))
  return {
    name,
    url: inDatabase(postgres.url),
    urls: {
      settings: inDatabase(postgres.roles.settings),
      call_control: inDatabase(postgres.roles.call_control),
      recording_assembly: inDatabase(postgres.roles.recording_assembly),
    },
    drop: () => runSql(postgres.url, `drop database if exists ${name} with (force)`),
  }
}

/** One statement on a connection of its own. */
export async function runSql (connectionString: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 5000, query_timeout: 20_000 })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
