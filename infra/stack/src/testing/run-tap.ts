import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import colors from 'picocolors'
import type { Progress } from '../progress.ts'
import { repositoryDir } from '../system/paths.ts'
import { run } from '../system/process.ts'
import { createTally } from './tally.ts'
import type { Failed, TapEvent, Tally } from './tally.ts'

const tap = join(repositoryDir, 'node_modules/.bin/tap')
/** Of a file that does not say by `t.setTimeout` that it takes longer. */
const fileTimeoutSeconds = 180

/** tap compiles itself for its plugins, and the run in which it does so fails: do it beforehand. */
export async function buildTap (progress: Progress, signal: AbortSignal): Promise<void> {
  const stamp = join(repositoryDir, '.tap/built-for')
  const wanted = createHash('sha256')
    .update(readFileSync(join(repositoryDir, 'pnpm-lock.yaml'))).update(readFileSync(join(repositoryDir, '.taprc'))).digest('hex')
  if (readIfThere(stamp) === wanted) return
  await progress.step('Test runner', (say) => run(tap, ['build'], { signal, cwd: repositoryDir, onLine: say }))
  writeFileSync(stamp, wanted)
}

/** Runs test files (all when none are named), three at a time (they wait more than they compute) but for the serial ones of .taprc, and shows each as it ends. Aborted, it resolves with the counts so far. */
export async function runTap (files: string[], env: NodeJS.ProcessEnv, progress: Progress, signal: AbortSignal): Promise<ReturnType<Tally['result']>> {
  const tally = createTally({
    onFile: ({ file, ok, timeMs, passed, failed, figures }) => {
      const mark = ok ? colors.green('✓') : colors.red('✗')
      const counts = failed > 0 ? `${passed} passed, ${colors.red(`${failed} failed`)}` : `${passed} passed`
      progress.line(`  ${mark} ${file} ${colors.dim(`${counts}, ${(timeMs / 1000).toFixed(1)} s`)}`)
      for (const figure of figures) progress.line(`      ${colors.dim(figure)}`)
    },
    onFailed: (failed) => progress.line(describe(failed)),
  })
  const strayLines: string[] = []
  const readEvents = lineByLine((line) => {
    const event = parseEvent(line)
    if (event) tally.add(event)
    else strayLines.push(line)
  })
  const exit = await run(tap, ['run', '--reporter=jsonstream', '--jobs=3', `--timeout=${fileTimeoutSeconds}`, ...files],
    { signal, cwd: repositoryDir, env, onChunk: readEvents }).catch((error: unknown) => error)
  const result = tally.result()
  if (signal.aborted) return { ...result, failed: Math.max(result.failed, 1) }
  if (exit instanceof Error && (!result.isComplete || result.failed === 0)) {
    progress.line(`  ${colors.red('✗')} tap itself failed:\n${strayLines.slice(-40).join('\n')}`)
    return { ...result, failed: result.failed + (result.unrun.length > 0 ? 0 : 1) }
  }
  return result
}

function describe ({ name, diag }: Failed): string {
  const { diff, stack, source, at: _at, compare: _compare, ...rest } = diag
  const others = Object.entries(rest).filter(([key]) => !['tapCaught', 'stdio', 'cwd', 'externalID', 'command', 'args', 'closingTestPoint'].includes(key))
  const sections = [diff, ...others.map(([key, value]) => `${key}: ${typeof value === 'string' ? value : JSON.stringify(value, null, 2)}`), source, stack]
  const body = sections.filter(Boolean).map((section) => `${section}`.trimEnd().replaceAll(/^/gm, '      ')).join('\n\n')
  return `\n    ${colors.red(name)}\n${body}\n`
}

function parseEvent (line: string): TapEvent | undefined {
  try {
    const event: unknown = JSON.parse(line)
    return Array.isArray(event) && typeof event[0] === 'string' && typeof event[1] === 'object' ? event as TapEvent : undefined
  } catch {
    return undefined
  }
}

function lineByLine (take: (line: string) => void): (chunk: string) => void {
  let rest = ''
  return (chunk) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    lines.forEach(take)
  }
}

function readIfThere (file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
