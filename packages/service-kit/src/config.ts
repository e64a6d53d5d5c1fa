import { z } from 'zod'

/** One environment variable: its name, its schema, a sentence for the table of variables. */
export interface ConfigEntry<S extends z.ZodType = z.ZodType> {
  env: string
  schema: S
  description: string
  /** Never printed. */
  isSecret?: boolean
}

export type ConfigShape = Record<string, ConfigEntry>

export type ConfigOf<Shape extends ConfigShape> = { [Key in keyof Shape]: z.output<Shape[Key]['schema']> }

/** Thrown by `loadConfig`; its message is meant for the operator and needs no stack trace. */
export class ConfigError extends Error {
  override name = 'ConfigError'
}

export function variable<S extends z.ZodType> (env: string, schema: S, description: string): ConfigEntry<S> {
  return { env, schema, description }
}

export function secret<S extends z.ZodType> (env: string, schema: S, description: string): ConfigEntry<S> {
  return { env, schema, description, isSecret: true }
}

const integer = (min: number, max: number) => z.string().regex(/^\d+$/, 'expected a whole number').transform(Number).pipe(z.number().min(min).max(max))

/** A TCP port; 0 lets the system choose. */
export const port = () => integer(0, 65_535)
export const wholeNumber = (min = 0, max = Number.MAX_SAFE_INTEGER) => integer(min, max)
/** true/false, 1/0, yes/no, on/off: anything else is an error. */
export const flag = () => z.stringbool()
export const commaList = () => z.string().transform(text => text.split(',').map(part => part.trim()).filter(part => part !== '')).pipe(z.array(z.string()).min(1))

/** What every service needs. */
export const commonConfig = {
  databaseUrl: secret('DATABASE_URL', z.url({ protocol: /^postgres(ql)?$/ }), 'PostgreSQL, logged in as the role of this service'),
  kafkaBrokers: variable('KAFKA_BROKERS', commaList(), 'host:port of the brokers, separated by commas'),
  kafkaTopicPrefix: variable('KAFKA_TOPIC_PREFIX', z.string().regex(/^[a-zA-Z0-9._-]*$/).default(''), 'put before the name of every topic and consumer group'),
  httpHost: variable('HTTP_HOST', z.string().default('127.0.0.1'), 'address to listen on'),
  httpPort: variable('HTTP_PORT', port().default(0), 'port of the API'),
  adminPort: variable('ADMIN_PORT', port().default(0), 'port of /live, /ready and /metrics'),
  logLevel: variable('LOG_LEVEL', z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'), 'least level that is logged'),
  trustProxy: variable('TRUST_PROXY', commaList().pipe(z.array(z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6(), z.enum(['loopback', 'linklocal', 'uniquelocal'])]))).optional(), 'addresses or networks of reverse proxies, separated by commas: their X-Forwarded-For and -Proto are believed; without it nobody\'s'),
  rateLimitPerMinute: variable('RATE_LIMIT_PER_MINUTE', wholeNumber(1).default(1200), 'requests one caller may make in a minute'),
} satisfies ConfigShape

/**
 * Reads and checks the variables named by `shape`; an empty value counts as absent.
 * Throws a ConfigError that names every wrong variable, never a value.
 */
export function loadConfig<const Shape extends ConfigShape> (shape: Shape, env: Record<string, string | undefined>): ConfigOf<Shape> {
  const config: Record<string, unknown> = {}
  const issues: z.core.$ZodIssue[] = []
  for (const [key, entry] of Object.entries(shape)) {
    const text = env[entry.env]?.trim()
    const result = entry.schema.safeParse(text === '' ? undefined : text)
    if (result.success) config[key] = result.data
    else issues.push(...result.error.issues.map(issue => ({ ...issue, path: [entry.env] })))
  }
  if (issues.length > 0) throw new ConfigError(`Invalid configuration\n${z.prettifyError({ issues } as z.ZodError)}`)
  return config as ConfigOf<Shape>
}

/** The configuration as it may be printed: secrets masked, and passwords inside addresses. */
export function redacted<Shape extends ConfigShape> (shape: Shape, config: ConfigOf<Shape>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(shape).map(([key, entry]) => [key, redactedValue(entry, config[key])]))
}

function redactedValue (entry: ConfigEntry, value: unknown): unknown {
  if (typeof value !== 'string') return entry.isSecret && value !== undefined ? '***' : value
  if (!URL.canParse(value)) return entry.isSecret ? '***' : value
  const url = new URL(value)
  if (entry.isSecret && url.host === '') return '***'
  if (url.password !== '') url.password = '***'
  if (entry.isSecret) url.search = ''
  return url.toString()
}

/** A Markdown table of the variables, for the documentation. */
export function describeConfig (shape: ConfigShape): string {
  const rows = Object.values(shape).map(({ env, schema, description }) => {
    const fallback = schema.safeParse(undefined)
    return `| \`${env}\` | ${fallback.success ? defaultText(fallback.data) : 'required'} | ${description} |`
  })
  return ['| variable | default | what it is |', '|---|---|---|', ...rows].join('\n')
}

function defaultText (value: unknown): string {
  return value === undefined || value === '' ? '' : `\`${String(value)}\``
}
