import { join } from 'node:path'
import colors from 'picocolors'
import type { Progress } from '../progress.ts'
import { messageOf } from '../system/failure.ts'
import { repositoryDir } from '../system/paths.ts'
import { run } from '../system/process.ts'

/** `npm run check` and `npm run build`. The build comes last: what it writes is nothing for the linter to read halfway. */
const checks = [
  ['The type checker', 'tsc', ['-p', 'tsconfig.json']],
  ['The linter', 'eslint', ['--max-warnings=0', '.']],
  ['The build', 'tsc', ['-b', 'tsconfig.build.json']],
] as const

/** Runs what needs no stack, behind whatever else runs; each check counts as one test. */
export async function checkSources (progress: Progress, signal: AbortSignal): Promise<{ passed: number, failed: number }> {
  let failed = 0
  for (const [title, command, args] of checks) {
    try {
      await progress.step(title, () => run('nice', [join(repositoryDir, 'node_modules/.bin', command), ...args], { signal, cwd: repositoryDir }))
    } catch (error) {
      signal.throwIfAborted()
      failed++
      progress.line(`\n    ${colors.red(title)}\n${messageOf(error)}\n`)
    }
  }
  return { passed: checks.length - failed, failed }
}
