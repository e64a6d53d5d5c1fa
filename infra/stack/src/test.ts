import { join } from 'node:path'
import colors from 'picocolors'
import { startInfrastructure } from './infrastructure.ts'
import { preflight } from './preflight.ts'
import { showProgress } from './progress.ts'
import { runUntilStopped } from './run-until-stopped.ts'
import { supervise } from './supervisor.ts'
import { Failure } from './system/failure.ts'
import { writePrivately } from './system/files.ts'
import { repositoryDir } from './system/paths.ts'
import { buildTap, runTap } from './testing/run-tap.ts'

const deadlineMinutes = 25
const dataDir = join(repositoryDir, '.local/test')
const files = process.argv.slice(2)

let counts = { passed: 0, failed: 1 } // until the tests have run, the set-up is what failed

await runUntilStopped(async (own) => {
  const progress = showProgress()
  const supervisor = own(supervise(dataDir, { isFresh: true }))
  const deadline = AbortSignal.timeout(deadlineMinutes * 60_000)
  const signal = AbortSignal.any([supervisor.signal, deadline])

  await preflight(progress, signal)
  await buildTap(progress, signal)
  const stack = await startInfrastructure(supervisor, progress, { withS3: true })
  const addresses = join(dataDir, 'stack.json')
  writePrivately(addresses, JSON.stringify(stack, null, 2))

  progress.line('')
  const tests = runTap(files, { ...process.env, TACET_STACK: addresses }, progress, signal)
  const result = await Promise.race([tests, supervisor.died])
  counts = result
  if (deadline.aborted) throw new Failure(`The tests took longer than ${deadlineMinutes} minutes and were stopped.`)
  progress.line('')
  for (const name of result.unrun) progress.line(`  ${colors.red('not run')} ${name}`)
  if (result.unrun.length > 0) throw new Failure('Some tests were skipped or are still to do; none may be.')
  if (result.passed + result.failed === 0) throw new Failure('No tests were found.')
  if (result.failed > 0) throw new Failure('Some tests failed.')
}, () => `${counts.passed} passed, ${counts.failed} failed`)
