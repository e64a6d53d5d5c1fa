import { join } from 'node:path'
import colors from 'picocolors'
import type { Progress } from '../progress.ts'
import { messageOf } from '../system/failure.ts'
import { repositoryDir } from '../system/paths.ts'
import { run } from '../system/process.ts'

type Check = [title: string, command: string, args: string[]]

/** `npm run check` and `npm run build`, in two lanes that take equally long. */
const lanes: Check[][] = [
  [['The linter', 'eslint', ['--max-warnings=0', '.']]],
  [['The type checker', 'tsc', ['-p', 'tsconfig.json']], ['The build', 'tsc', ['-b', 'tsconfig.build.json']]],
]

/** Runs what needs no stack, behind whatever else runs; each check counts as one test. */
export async function checkSources (progress: Progress, signal: AbortSignal): Promise<{ passed: number, failed: number }> {
  const counts = { passed: 0, failed: 0 }
  const runOne = async ([title, command, args]: Check): Promise<void> => {
    try {
      await progress.step(title, () => run('nice', [join(repositoryDir, 'node_modules/.bin', command), ...args], { signal, cwd: repositoryDir }))
      counts.passed++
    } catch (error) {
      signal.throwIfAborted()
      counts.failed++
      progress.line(`\n    ${colors.red(title)}\n${messageOf(error)}\n`)
    }
  }
  await Promise.all(lanes.map((lane) => lane.reduce((before, check) => before.then(() => runOne(check)), Promise.resolve())))
  return counts
}
