import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { eventually } from '@tacet/test-kit'

const root = fileURLToPath(new URL('../..', import.meta.url))
const running = new Set<ChildProcess>()
// Whatever happens to a test, its services end with it.
process.on('exit', () => running.forEach(child => child.kill('SIGKILL')))

export interface ServiceProcess {
  url: string
  adminUrl: string
  pid: number
  exited: Promise<void>
  /** Resolves when the process has ended. */
  kill: (signal: NodeJS.Signals) => Promise<void>
  isRunning: () => boolean
}

export interface ServiceOptions { name: 'settings' | 'call-control' | 'recording-assembly', env: Record<string, string>, httpPort: number, adminPort: number, logDir: string, isCompiled?: boolean, /** Another one is active: it is enough that it lives. */ isStandby?: boolean }

/** Starts a service, from its sources or as compiled, and waits until it is ready. */
export async function startService ({ name, env, httpPort, adminPort, logDir, isCompiled = false, isStandby = false }: ServiceOptions): Promise<ServiceProcess> {
  mkdirSync(logDir, { recursive: true })
  const child = run(scriptOf(name, 'main', isCompiled), { ...env, HTTP_PORT: String(httpPort), ADMIN_PORT: String(adminPort), LOG_LEVEL: 'debug' }, join(logDir, `${name}.log`))
  const adminUrl = `http://127.0.0.1:${adminPort}`
  let hasExited = false
  const exited = once(child, 'exit').then(() => { hasExited = true })
  await eventually(async () => {
    return hasExited || (await fetch(`${adminUrl}/${isStandby ? 'live' : 'ready'}`, { signal: AbortSignal.timeout(2000) })).ok
  }, { timeoutMs: 60_000, intervalMs: 50, message: `${name} is not ready; see ${join(logDir, `${name}.log`)}` })
  if (hasExited) throw new Error(`${name} ended; see ${join(logDir, `${name}.log`)}`)
  return {
    url: `http://127.0.0.1:${httpPort}`,
    adminUrl,
    pid: child.pid!,
    exited,
    isRunning: () => !hasExited,
    async kill (signal) {
      child.kill(signal)
      await exited
    },
  }
}

/** A script of a service: what development runs, or what production does. */
export const scriptOf = (name: ServiceOptions['name'], script: string, isCompiled = false): string =>
  isCompiled ? `services/${name}/dist/${script}.js` : `services/${name}/src/${script}.ts`

/** Runs a script to its end; throws when it fails. */
export async function runToEnd (script: string, env: Record<string, string>, logFile: string): Promise<void> {
  const [code] = await once(run(script, env, logFile), 'exit')
  if (code !== 0) throw new Error(`${script} ended with ${code}; see ${logFile}`)
}

function run (script: string, env: Record<string, string>, logFile: string): ChildProcess {
  const child = spawn(process.execPath, [...script.endsWith('.ts') ? ['--conditions=@tacet/source'] : [], join(root, script)], { env: { ...baseEnv(), ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  const log = createWriteStream(logFile, { flags: 'a' })
  child.stdout.pipe(log, { end: false })
  child.stderr.pipe(log, { end: false })
  running.add(child)
  child.once('exit', () => running.delete(child))
  return child
}

/** Without what tap puts into its children's environment. */
const baseEnv = () => Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(NODE_OPTIONS|TAP|_TAPJS)/.test(name)))
