import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Stack } from '@tacet/contracts'
import { preflight, showProgress, startInfrastructure, supervise, type Supervisor } from '@tacet/stack'
import { eventually } from '@tacet/test-kit'
import { Kafka, logLevel } from 'kafkajs'
import pg from 'pg'
import type { Owner } from '../support/tacet.ts'

export type PartName = 'kafka' | 'postgres' | 'asterisk'

/** One process of the infrastructure, to be stopped and started as it was. */
export interface Part {
  /** As its operator would stop it. */
  stop: () => Promise<void>
  kill: () => Promise<void>
  /** It has been told to end, and does so when it likes. */
  ended: () => Promise<void>
  /** Resolves when it works. */
  start: () => Promise<void>
  isUp: () => Promise<boolean>
}

/** A stack of our own, whose parts may be stopped, killed and started again: nobody else depends on it. */
export interface Ground {
  stack: Stack
  parts: Record<PartName, Part>
  asteriskCommand: (command: string) => Promise<string>
  spool: Spool
}

/** The file system that recorders write to: small, and ours alone. */
export interface Spool {
  fill: () => void
  free: () => void
  makeReadOnly: () => void
  makeWritable: () => void
}

type Launched = { options: Parameters<ReturnType<Supervisor['contextFor']>['launch']>[0], running: ReturnType<ReturnType<Supervisor['contextFor']>['launch']> }

export async function openGround (t: Owner): Promise<Ground> {
  const dataDir = mkdtempSync(join(tmpdir(), 'tacet-matrix-'))
  const supervisor = supervise(dataDir)
  t.teardown(async () => {
    await supervisor.stop()
    rmSync(dataDir, { recursive: true, force: true })
  })
  const launched = new Map<string, Launched>()
  const remember: Supervisor = {
    ...supervisor,
    contextFor: say => {
      const context = supervisor.contextFor(say)
      return { ...context, launch: options => relaunch(options, context) }
    },
  }
  function relaunch (options: Launched['options'], { launch } = supervisor.contextFor(() => {})): Launched['running'] {
    const running = launch(options)
    launched.set(options.name, { options, running })
    return running
  }

  const progress = showProgress()
  await preflight(progress, supervisor.signal)
  const stack = await startInfrastructure(remember, progress)
  const part = (name: PartName, isUp: () => Promise<boolean>): Part => ({
    stop: async () => await launched.get(name)!.running.stop(),
    kill: async () => await launched.get(name)!.running.kill(),
    async ended () {
      const { running } = launched.get(name)!
      running.isStopping = () => true
      await running.exited
    },
    async start () {
      relaunch(launched.get(name)!.options)
      await eventually(isUp, { timeoutMs: 60_000, intervalMs: 100, message: `${name} did not come back` })
    },
    isUp,
  })
  const { args } = launched.get('asterisk')!.options
  return {
    stack,
    parts: {
      kafka: part('kafka', async () => await isKafkaUp(stack)),
      postgres: part('postgres', async () => await isPostgresUp(stack)),
      asterisk: part('asterisk', async () => (await fetchAri(stack, '/asterisk/info')).ok),
    },
    // As it was launched, by nice, without "stay in the foreground".
    asteriskCommand: async command => (await promisify(execFile)(args[2]!, [...args.slice(3, -2), '-rx', command])).stdout,
    spool: mountSpool(t, join(stack.spoolDir!, 'tacet')),
  }
}

export const fetchAri = async ({ ari: { url, username, password } }: Stack, path: string): Promise<Response> =>
  await fetch(`${url}/ari${path}`, { headers: { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` }, signal: AbortSignal.timeout(2000) })

async function isKafkaUp ({ kafka: { brokers } }: Stack): Promise<boolean> {
  const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING, connectionTimeout: 1000, retry: { retries: 0 } }).admin()
  try {
    await admin.connect()
    return (await admin.describeCluster()).brokers.length > 0
  } finally {
    await admin.disconnect().catch(() => {})
  }
}

async function isPostgresUp ({ postgres: { url } }: Stack): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1000 })
  client.on('error', () => {})
  await client.connect()
  await client.end()
  return true
}

const spoolMb = 64

/** A file system of its own in memory, which can be filled and made read-only without disturbing anybody else. Only root may do that. */
function mountSpool (t: Owner, dir: string): Spool {
  const run = (command: string, ...args: string[]) => execFileSync(command, args, { stdio: 'pipe' })
  run('mount', '-t', 'tmpfs', '-o', `size=${spoolMb}m`, 'tmpfs', dir)
  const filler = join(dir, '.full')
  let mounts = 1
  const unmount = () => { for (; mounts > 0; mounts--) run('umount', '--lazy', dir) }
  t.teardown(unmount)
  // A test that is ended for taking too long leaves nothing behind either.
  process.once('exit', unmount)
  process.once('SIGTERM', () => process.exit(143))
  return {
    fill () {
      const { bavail, bsize } = statfsSync(dir)
      writeFileSync(filler, Buffer.alloc(bavail * bsize))
    },
    free: () => rmSync(filler, { force: true }),
    // Over itself: whoever has a file open goes on writing, nobody can open another.
    makeReadOnly () {
      run('mount', '--bind', dir, dir)
      mounts++
      run('mount', '-o', 'remount,bind,ro', dir)
    },
    makeWritable () {
      run('umount', '--lazy', dir)
      mounts--
    },
  }
}
