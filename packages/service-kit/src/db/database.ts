import { fillPlaceholders, type SQL } from 'drizzle-orm'
import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres'
import { PgDialect } from 'drizzle-orm/pg-core'
import pg from 'pg'
import type { CheckResult } from '../http/admin.ts'
import type { Logger } from '../logging.ts'
import { isTransientDatabaseError } from './errors.ts'

export type Db = NodePgDatabase
export type Transaction = Parameters<Parameters<Db['transaction']>[0]>[0]
/** What a repository needs: the pool or a transaction. */
export type Executor = Db | Transaction

export interface Database {
  db: Db
  /** A statement whose text is made once, and which each connection parses once, under its name; run it with its placeholders' values. */
  prepare<Row extends pg.QueryResultRow> (name: string, statement: SQL): (values: Record<string, unknown>) => Promise<Row[]>
  /** A connection outside the pool, for session locks; whoever opens it ends it. */
  connect (): Promise<pg.Client>
  check (): Promise<CheckResult>
  close (): Promise<void>
}

export interface DatabaseOptions {
  url: string
  /** Shown in pg_stat_activity. */
  name: string
  logger: Logger
  maxConnections?: number
  connectTimeoutMs?: number
  statementTimeoutMs?: number
}

/** Opens the pool without connecting: a service starts, not ready, while the database is down. */
export function openDatabase (options: DatabaseOptions): Database {
  const { url, name, logger, maxConnections = 10, connectTimeoutMs = 3_000, statementTimeoutMs = 10_000 } = options
  const connection = {
    connectionString: url,
    application_name: name,
    connectionTimeoutMillis: connectTimeoutMs,
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: 2 * statementTimeoutMs,
    // The server's own timeout can't reach us when the network is gone.
    query_timeout: statementTimeoutMs + 2_000,
    keepAlive: true,
  }
  const pool = new pg.Pool({ ...connection, max: maxConnections, idleTimeoutMillis: 30_000 })
  // Without a handler, a connection that dies while idle ends the process.
  pool.on('error', err => logger.warn({ err }, 'idle database connection lost'))
  // The same for one that dies while checked out, between two statements of a transaction.
  pool.on('connect', client => client.on('error', () => {}))
  const db = drizzle(pool)
  db.transaction = inTransaction
  const dialect = new PgDialect()

  /** drizzle's own never gives the connection back when `begin` fails, on one that just died, say: after ten of those there is none left. */
  async function inTransaction<T> (work: (tx: Transaction) => Promise<T>, config?: Parameters<Db['transaction']>[1]): Promise<T> {
    const client = await pool.connect()
    let isBroken = false
    try {
      return await drizzle(client).transaction(work, config)
    } catch (error) {
      isBroken = isTransientDatabaseError(error)
      throw error
    } finally {
      client.release(isBroken)
    }
  }

  return {
    db,
    prepare<Row extends pg.QueryResultRow> (name: string, statement: SQL) {
      const { sql: text, params } = dialect.sqlToQuery(statement)
      return async (values: Record<string, unknown>) => (await pool.query<Row>({ name, text, values: fillPlaceholders(params, values) })).rows
    },
    async connect () {
      const client = new pg.Client(connection)
      client.on('error', err => logger.warn({ err }, 'database connection lost'))
      await client.connect()
      return client
    },
    async check () {
      const started = performance.now()
      await pool.query('select 1')
      return { isOk: true, latencyMs: Math.round(performance.now() - started), connections: pool.totalCount, waiting: pool.waitingCount }
    },
    close: () => pool.end(),
  }
}
