import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Stack } from '@tacet/contracts'
import type { Context } from '../context.ts'
import { repositoryDir } from '../system/paths.ts'
import { choosePort } from '../system/ports.ts'
import { run } from '../system/process.ts'
import { isMigrated } from './migrations.ts'
import type { RunningProcess } from '../system/process.ts'
import { expectOk, untilItWorks } from '../system/wait.ts'

type Role = keyof Stack['postgres']['roles']
type Description = {
  role: Role
  /** Of the ports: `<PREFIX>_HTTP_PORT` and `<PREFIX>_ADMIN_PORT` choose them. */
  variablePrefix: string
  ports: { http: number, admin: number }
  /** What it needs beside what every service needs. */
  env: (stack: Stack, context: Context) => NodeJS.ProcessEnv
}

const services = {
  settings: {
    role: 'settings',
    variablePrefix: 'TACET_SETTINGS',
    ports: { http: 17401, admin: 17411 },
    env: (_stack, { secret }) => ({ SETTINGS_OPERATOR_TOKEN: secret('operatorToken'), SETTINGS_JWT_PRIVATE_KEY: secret('jwtPrivateKey', makeSigningKey) }),
  },
  'call-control': {
    role: 'call_control',
    variablePrefix: 'TACET_CALL_CONTROL',
    ports: { http: 17402, admin: 17412 },
    env: ariEnv,
  },
  'recording-assembly': {
    role: 'recording_assembly',
    variablePrefix: 'TACET_ASSEMBLY',
    ports: { http: 17403, admin: 17413 },
    env: (stack, { dataDir, secret }) => ({
      ...ariEnv(stack),
      LINK_SECRETS: secret('linkSecret'),
      ...stack.spoolDir ? { SPOOL_DIR: stack.spoolDir } : {},
      RECORDINGS_DIR: stack.recordingsDir ?? recordingsDirOf(dataDir),
    }),
  },
} satisfies Record<string, Description>

export type ServiceName = keyof typeof services
export const serviceNames = Object.keys(services) as ServiceName[]

export type Service = { url: string, adminUrl: string, process: RunningProcess }

const makeSigningKey = (): string => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()

/** Where an instance's finished recordings go. */
export const recordingsDirOf = (dataDir: string): string => join(dataDir, 'recordings')

/** Brings a service's schema up to date; looks first, since a process that finds nothing to do takes a second to find it. */
export async function migrateService (name: ServiceName, { roles }: Stack['postgres'], { signal }: Pick<Context, 'signal'>): Promise<void> {
  const dir = join(repositoryDir, 'services', name)
  const { role } = services[name]
  if (await isMigrated({ url: roles[role], schema: role, folder: join(dir, 'migrations') })) return
  const env = { ...process.env, DATABASE_URL: roles[role] }
  await run(process.execPath, ['--conditions=@tacet/source', 'src/db/migrate.ts'], { cwd: dir, env, signal })
}

type StartOptions = {
  /** Wins over everything this sets. */
  env?: NodeJS.ProcessEnv
  timeoutMs?: number
}

/** Starts a service from its sources and waits until it says that it is ready. Its topics and its schema must be there. */
export async function startService (name: ServiceName, stack: Stack, context: Context, options: StartOptions = {}): Promise<Service> {
  const { role, variablePrefix, ports, env } = services[name]
  const httpPort = await choosePort({ name, variable: `${variablePrefix}_HTTP_PORT`, preferred: ports.http })
  const adminPort = await choosePort({ name: `${name} (admin)`, variable: `${variablePrefix}_ADMIN_PORT`, preferred: ports.admin })
  const host = '127.0.0.1'
  const dir = join(repositoryDir, 'services', name)
  mkdirSync(stack.recordingsDir ?? recordingsDirOf(context.dataDir), { recursive: true })
  const child = context.launch({
    name,
    command: process.execPath,
    args: ['--conditions=@tacet/source', 'src/main.ts'],
    cwd: dir,
    stopTimeoutMs: 20_000,
    env: {
      PUBLIC_URL: `http://${host}:${httpPort}`,
      ...process.env,
      DATABASE_URL: stack.postgres.roles[role],
      KAFKA_BROKERS: stack.kafka.brokers.join(','),
      KAFKA_TOPIC_PREFIX: stack.kafka.topicPrefix,
      HTTP_HOST: host,
      HTTP_PORT: String(httpPort),
      ADMIN_PORT: String(adminPort),
      ...env(stack, context),
      ...options.env,
    },
  })
  const adminUrl = `http://${host}:${adminPort}`
  await untilItWorks(() => expectOk(`${adminUrl}/ready`), { what: `${name} is`, timeoutMs: options.timeoutMs ?? 60_000, signal: context.signal, everyMs: 100 })
  return { url: `http://${host}:${httpPort}`, adminUrl, process: child }
}

function ariEnv ({ pbxId, ari }: Stack): NodeJS.ProcessEnv {
  return { PBX_ID: pbxId, ARI_URL: ari.url, ARI_USERNAME: ari.username, ARI_PASSWORD: ari.password, ARI_APP: ari.app }
}
