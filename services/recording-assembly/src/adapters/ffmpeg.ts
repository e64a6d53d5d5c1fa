import { spawn, type ChildProcessWithoutNullStreams, type SpawnOptionsWithoutStdio } from 'node:child_process'
import { stat } from 'node:fs/promises'
import { constants, setPriority } from 'node:os'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { OutputFormat } from '@tacet/contracts'
import type { Encoder, Tags } from '../usecases/file-ports.ts'
import { DependencyUnavailable, isSystemError } from '../usecases/errors.ts'

/** For speech; bit rates per channel. */
const codecs: Record<OutputFormat, (channels: number) => string[]> = {
  opus: channels => ['-c:a', 'libopus', '-application', 'voip', '-b:a', `${24 * channels}k`, '-f', 'ogg'],
  mp3: channels => ['-c:a', 'libmp3lame', '-b:a', `${32 * channels}k`, '-id3v2_version', '3', '-f', 'mp3'],
  flac: () => ['-c:a', 'flac', '-compression_level', '5', '-f', 'flac'],
}
/** Steep, and without a shift: measured to 1 part in 10,000 up to 3.8 kHz. */
const resampling = (sampleRateHz: number): string => `aresample=${sampleRateHz}:filter_size=128:cutoff=0.99`

const WANTED = ['libopus', 'libmp3lame', 'flac']
const CHECK_MS = 10_000
/** ffmpeg tells how far it is every half second: one that says nothing for so long is stuck. */
const SILENT_MS = 60_000
const ERROR_CHARACTERS = 2_000

/** Runs ffmpeg, which does nothing but what its arguments say: no shell, and no files or addresses but ours. */
export function createFfmpeg ({ path }: { path: string }): Encoder {
  let isKnown = false

  /** What it said and what it complained of; throws when it did not end with 0. */
  async function run (args: string[], { input, signal, onTime = () => {} }: { input?: Readable, signal: AbortSignal, onTime?: (ms: number) => void }): Promise<{ said: string, complained: string }> {
    signal.throwIfAborted()
    const stuck = new AbortController()
    const child = start(path, ['-hide_banner', '-v', 'error', ...args], { signal: AbortSignal.any([signal, stuck.signal]), killSignal: 'SIGKILL' })
    const silent = setTimeout(() => stuck.abort(new Error(`ffmpeg said nothing for ${SILENT_MS / 1000} s`)), SILENT_MS)
    const ended = Promise.withResolvers<void>()
    // Also when nobody comes to wait for it.
    ended.promise.catch(() => {})
    let [said, complained] = ['', '']
    child.once('spawn', () => giveWay(child.pid))
    child.once('error', error => ended.reject(absent(path, error)))
    child.once('close', code => code === 0 ? ended.resolve() : ended.reject(failure(code, complained)))
    child.stderr.on('data', data => { complained = (complained + String(data)).slice(-ERROR_CHARACTERS) })
    createInterface(child.stdout).on('line', line => {
      silent.refresh()
      const [, microseconds] = /^out_time_us=(\d+)/.exec(line) ?? []
      if (microseconds !== undefined) onTime(Number(microseconds) / 1000)
      else if (said.length < 100_000) said += `${line}\n`
    })
    // What it did not want to read is its own affair; what could not be read for it is ours.
    const fed = input === undefined
      ? Promise.resolve(child.stdin.end())
      : pipeline(input, child.stdin).catch(error => {
        if (error.code === 'EPIPE' || error.code === 'ERR_STREAM_PREMATURE_CLOSE') return
        child.kill('SIGKILL')
        ended.reject(error)
      })
    try {
      await Promise.all([ended.promise, fed])
      return { said, complained }
    } catch (error) {
      signal.throwIfAborted()
      stuck.signal.throwIfAborted()
      throw error
    } finally {
      clearTimeout(silent)
      child.kill('SIGKILL')
    }
  }

  return {
    async check () {
      if (isKnown) return { isOk: true }
      try {
        const { said } = await run(['-encoders'], { signal: AbortSignal.timeout(CHECK_MS) })
        const lacking = WANTED.filter(name => !said.includes(` ${name} `))
        isKnown = lacking.length === 0
        return isKnown ? { isOk: true } : { isOk: false, detail: `${path} has no ${lacking.join(', ')}` }
      } catch (error) {
        return { isOk: false, detail: error instanceof Error ? error.message : String(error) }
      }
    },
    async encode ({ input, output, format, channels, durationMs, tags, signal, onProgress }) {
      const onTime = (ms: number) => onProgress(Math.min(1, durationMs === 0 ? 1 : ms / durationMs))
      const { complained } = await run(['-progress', 'pipe:1', '-protocol_whitelist', 'pipe', '-f', 'wav', '-i', 'pipe:0', '-map_metadata', '-1', ...metadata(tags), '-threads', '1', ...codecs[format](channels), '-y', `file:${output}`], { input, signal, onTime })
      // It ends with 0 also when the disk was full for the last bytes. What else it says, or is said around it, may be no more than a warning.
      const trouble = troubleOf(complained.trim())
      if (trouble !== null) throw trouble
      if ((await stat(output)).size === 0) throw new Error(`ffmpeg made nothing: ${complained.trim()}`)
    },
    async resample ({ input, inputRateHz, output, sampleRateHz, signal }) {
      // Bare samples: our reader knows better than its own what is whole in a file that was torn. There is nothing in them to refuse.
      await run(['-progress', 'pipe:1', '-protocol_whitelist', 'pipe', '-f', 's16le', '-ar', String(inputRateHz), '-ac', '1', '-i', 'pipe:0', '-af', resampling(sampleRateHz), '-c:a', 'pcm_s16le', '-bitexact', '-f', 'wav', '-y', `file:${output}`], { input, signal }).catch(error => {
        signal.throwIfAborted()
        throw error instanceof DependencyUnavailable || isSystemError(error) ? error : new DependencyUnavailable('encoder', error.message, error)
      })
    },
  }
}

const metadata = (tags: Tags): string[] => Object.entries(tags).flatMap(([name, value]) => ['-metadata', `${name}=${value.replaceAll(/\p{Cc}/gu, ' ')}`])

function start (path: string, args: string[], options: SpawnOptionsWithoutStdio): ChildProcessWithoutNullStreams {
  try {
    return spawn(path, args, options)
  } catch (error) {
    throw absent(path, error)
  }
}

/** As a shell and the loader of programs say that there is nothing to run. */
const NOT_RUN = [126, 127]
const absent = (path: string, cause: unknown) => new DependencyUnavailable('encoder', `${path} can't be run`, cause)

function failure (code: number | null, complained: string): Error {
  const message = `ffmpeg ended with ${code}: ${complained.trim()}`
  return troubleOf(message) ?? (NOT_RUN.includes(code ?? 0) ? new DependencyUnavailable('encoder', message) : new Error(message))
}

/** What the system has refused to it may be mended. */
function troubleOf (message: string): DependencyUnavailable | null {
  if (/No space left on device|Disk quota exceeded|Input\/output error|Read-only file system/.test(message)) return new DependencyUnavailable('store', message)
  return message.includes('Cannot allocate memory') ? new DependencyUnavailable('encoder', message) : null
}

/** Calls in progress go before. */
function giveWay (pid: number | undefined): void {
  try {
    if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_LOW)
  } catch {
    // It has ended already.
  }
}
