import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { UnixUser } from './unix-user.ts'
import { Failure } from './failure.ts'

export type LaunchOptions = {
  name: string
  command: string
  args: string[]
  logFile: string
  cwd?: string
  env?: NodeJS.ProcessEnv
  /** Who runs it, when that is not us. */
  user?: UnixUser | undefined
  /** How to ask it to end (default TERM); KILL follows after `stopTimeoutMs`. */
  stopSignal?: 'SIGTERM' | 'SIGINT'
  stopTimeoutMs?: number
}

export type RunningProcess = {
  name: string
  pid: number
  logFile: string
  /** Resolves with how it ended, whoever ended it. */
  exited: Promise<string>
  isStopping: () => boolean
  stop: () => Promise<void>
  /** Kills it at once, for tests of what happens then. */
  kill: () => Promise<void>
}

const privileges = (user: UnixUser | undefined): string[] =>
  user ? [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups'] : []

/**
 * Starts a long-lived process in a process group of its own, its output appended to a log file.
 * The kernel ends it when we die, however we die.
 */
export function launch (options: LaunchOptions): RunningProcess {
  const { name, command, args, logFile, cwd, env = process.env, user, stopSignal = 'SIGTERM', stopTimeoutMs = 10_000 } = options
  const deathSignal = stopSignal === 'SIGINT' ? 'INT' : 'KILL'
  const log = openSync(logFile, 'a')
  const child = spawn('setpriv', [`--pdeathsig=${deathSignal}`, ...privileges(user), '--', command, ...args],
    { cwd, env, detached: true, stdio: ['ignore', log, log] })
  closeSync(log)

  let stopping: Promise<void> | undefined
  let hasExited = false
  const exited = new Promise<string>((resolve) => {
    const end = (how: string): void => { hasExited = true; resolve(how) }
    child.once('error', (error) => end(error.message))
    child.once('exit', (code, signal) => end(signal ? `killed by ${signal}` : `exit code ${code}`))
  })

  const kill = async (): Promise<void> => {
    killGroup(child.pid)
    await exited
  }
  const stop = async (): Promise<void> => {
    if (!hasExited) child.kill(stopSignal)
    const timeout = new AbortController()
    const killLater = delay(stopTimeoutMs, undefined, { signal: timeout.signal })
      .then(() => child.kill('SIGKILL'), () => {})
    await exited
    timeout.abort()
    await killLater
    killGroup(child.pid)
  }
  return {
    name,
    pid: child.pid ?? 0,
    logFile,
    exited,
    isStopping: () => stopping !== undefined,
    stop: () => (stopping ??= stop()),
    kill: () => (stopping ??= kill()),
  }
}

type RunOptions = {
  signal: AbortSignal
  cwd?: string
  env?: NodeJS.ProcessEnv
  user?: UnixUser | undefined
  /** Called with each line it prints. */
  onLine?: (line: string) => void
  /** Called with what it prints to stdout, as it comes. */
  onChunk?: (chunk: string) => void
}

/** Runs a command to its end and returns what it printed; a Failure with the last lines when it fails. */
export async function run (command: string, args: string[], options: RunOptions): Promise<string> {
  const { signal, cwd, env = process.env, user, onLine, onChunk } = options
  signal.throwIfAborted()
  const child = spawn('setpriv', ['--pdeathsig=KILL', ...privileges(user), '--', command, ...args],
    { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  let killLater: NodeJS.Timeout | undefined
  const abort = (): void => {
    killGroup(child.pid, 'SIGTERM') // an installer has things to put in order
    killLater = setTimeout(() => killGroup(child.pid), 5000)
  }
  signal.addEventListener('abort', abort)
  let output = ''
  const collect = (chunk: string): void => {
    output = (output + chunk).slice(-1_000_000)
    for (const line of chunk.split('\n')) if (line.trim()) onLine?.(line.trim())
  }
  child.stdout.setEncoding('utf8').on('data', collect)
  if (onChunk) child.stdout.on('data', onChunk)
  child.stderr.setEncoding('utf8').on('data', collect)
  const code = await new Promise<number | string | null>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('close', (exitCode, exitSignal) => resolve(exitCode ?? exitSignal))
  })
  signal.removeEventListener('abort', abort)
  clearTimeout(killLater)
  signal.throwIfAborted()
  if (code !== 0) throw new Failure(`${command} failed (${code}):\n${lastLines(output)}`)
  return output
}

/** The last lines of a text, indented. */
export const lastLines = (text: string, count = 20): string =>
  text.trimEnd().split('\n').slice(-count).map((line) => `    ${line}`).join('\n')

/** The last lines of a log file. */
export function tailOf (file: string, count = 20): string {
  try {
    return lastLines(readFileSync(file, 'utf8'), count)
  } catch {
    return '    (no log)'
  }
}

/** A leader and its children, or what a dead leader left behind. */
function killGroup (pid: number | undefined, signal: 'SIGTERM' | 'SIGKILL' = 'SIGKILL'): void {
  try {
    if (pid) process.kill(-pid, signal)
  } catch {} // nobody left
}
