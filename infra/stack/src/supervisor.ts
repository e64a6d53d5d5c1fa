import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Context } from './context.ts'
import { keepSecrets } from './system/files.ts'
import { Failure } from './system/failure.ts'
import { launch, tailOf } from './system/process.ts'
import type { RunningProcess } from './system/process.ts'

export type Supervisor = {
  dataDir: string
  signal: AbortSignal
  /** What a part needs; `say` is where it tells what it is doing. */
  contextFor: (say: (text: string) => void) => Context
  /** Processes launched from now on are stopped before the earlier ones. */
  nextStage: () => void
  /** Like Promise.all, but the first that fails ends every wait, and it rejects only when all have ended. */
  allOf: <T extends readonly [Promise<unknown>, ...Array<Promise<unknown>>]>(starts: T) => Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }>
  /** Runs when everything has been stopped. */
  atStop: (work: () => void) => void
  /** Rejects with a Failure, which shows its last log lines, when a process ends that nobody stopped. Never resolves. */
  died: Promise<never>
  /** Ends every wait, then every process, the last stage first. */
  stop: () => Promise<void>
}

/** Owns an instance's folder and all processes that run on it. `isFresh` empties it first. A Failure when another supervisor has it. */
export function supervise (folder: string, { isFresh = false } = {}): Supervisor {
  const dataDir = resolve(folder)
  const logDir = join(dataDir, 'log')
  mkdirSync(dataDir, { recursive: true })
  const release = claim(join(dataDir, 'supervisor.json'))
  if (isFresh) for (const name of readdirSync(dataDir)) if (name !== 'supervisor.json') rmSync(join(dataDir, name), { recursive: true })
  mkdirSync(logDir, { recursive: true })
  const secret = keepSecrets(join(dataDir, 'secrets.json'))
  const stopping = new AbortController()
  const stages: RunningProcess[][] = [[]]
  const atStop: Array<() => void> = []
  const death = Promise.withResolvers<never>()
  death.promise.catch(() => {}) // whoever waits for it hears of it

  const mourn = (started: RunningProcess, how: string): void => {
    if (started.isStopping()) return
    const failure = new Failure(`${started.name} died (${how}). Its last log lines, from ${started.logFile}:\n${tailOf(started.logFile)}`)
    death.reject(failure)
    stopping.abort(failure)
  }

  let stopped: Promise<void> | undefined
  const stop = async (): Promise<void> => {
    stopping.abort(new Failure('Stopped.'))
    for (const stage of stages.reverse()) await Promise.all(stage.map((running) => running.stop()))
    for (const work of atStop) work()
    release()
  }

  return {
    dataDir,
    signal: stopping.signal,
    allOf: async (starts) => {
      for (const start of starts) start.catch((error: unknown) => stopping.abort(error))
      await Promise.allSettled(starts)
      stopping.signal.throwIfAborted()
      return await Promise.all(starts)
    },
    atStop: (work) => atStop.push(work),
    contextFor: (say) => ({
      dataDir,
      signal: stopping.signal,
      say,
      secret,
      launch: (options) => {
        stopping.signal.throwIfAborted()
        const started = launch({ ...options, logFile: join(logDir, `${options.name}.log`) })
        stages.at(-1)?.push(started)
        started.exited.then((how) => mourn(started, how), () => {})
        return started
      },
    }),
    nextStage: () => stages.push([]),
    died: death.promise,
    stop: () => (stopped ??= stop()),
  }
}

/** One supervisor per folder. The start time tells a process from a later one with the same number. */
function claim (file: string): () => void {
  const other = readClaim(file)
  if (other && startTimeOf(other.pid) === other.startTime) {
    throw new Failure(`It is running already, as process ${other.pid}. Stop that first (kill ${other.pid}).`)
  }
  writeFileSync(file, JSON.stringify({ pid: process.pid, startTime: startTimeOf(process.pid) }))
  return () => rmSync(file, { force: true })
}

function readClaim (file: string): { pid: number, startTime: string } | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}

function startTimeOf (pid: number): string | undefined {
  try {
    // The 22nd field; the 2nd, the command's name, may hold blanks.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')
    return fields?.[0] === 'Z' ? undefined : fields?.[19] // a dead one may wait for its parent for ever
  } catch {
    return undefined
  }
}
