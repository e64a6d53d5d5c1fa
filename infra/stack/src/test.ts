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
import { checkSources } from './testing/check-sources.ts'
import { buildTap, runTap } from './testing/run-tap.ts'

const deadlineMinutes = 25
const expectedMinutes = 15
/** When npm test was typed: what bootstrap.mjs installs counts. */
const startedAtMs = Number(process.env.TACET_STARTED_AT_MS ?? Date.now())
const dataDir = join(repositoryDir, '.local/test')
const files = process.argv.slice(2)

let counts = { passed: 0, failed: 1 } // until the tests have run, the set-up is what failed

await runUntilStopped(async (own) => {
  const progress = showProgress()
  const supervisor = own(supervise(dataDir, { isFresh: true }))
  const deadline = AbortSignal.timeout(deadlineMinutes * 60_000)
  const signal = AbortSignal.any([supervisor.signal, deadline])

  const setUp = async () => {
    await preflight(progress, signal)
    return await startInfrastructure(supervisor, progress, { withS3: true })
  }
  // Beside the set-up, which waits for the network. Who names files wants to know about those alone.
  const check = async () => {
    await buildTap(progress, signal)
    return files.length > 0 ? { passed: 0, failed: 0 } : await checkSources(progress, signal)
  }
  const [stack, ofSources] = await supervisor.allOf([setUp(), check()])
  const addresses = join(dataDir, 'stack.json')
  writePrivately(addresses, JSON.stringify(stack, null, 2))

  progress.line('')
  const tests = runTap(files, { ...process.env, TACET_STACK: addresses }, progress, signal)
  const result = await Promise.race([tests, supervisor.died])
  counts = { passed: result.passed + ofSources.passed, failed: result.failed + ofSources.failed }
  if (deadline.aborted) throw new Failure(`The tests took longer than ${deadlineMinutes} minutes and were stopped.`)
  progress.line('')
  for (const name of result.unrun) progress.line(`  ${colors.red('not run')} ${name}`)
  if (result.unrun.length > 0) throw new Failure('Some tests were skipped or are still to do; none may be.')
  if (result.passed + result.failed === 0) throw new Failure('No tests were found.')
  if (counts.failed > 0) throw new Failure('Some tests failed.')
}, () => `${timeTaken(Date.now() - startedAtMs)}\n${counts.passed} passed, ${counts.failed} failed`)

function timeTaken (durationMs: number): string {
  const seconds = Math.round(durationMs / 1000)
  const time = `Time: ${Math.floor(seconds / 60)} min ${seconds % 60} s, with all set-up.`
  if (files.length > 0 || durationMs <= expectedMinutes * 60_000) return time
  return `${time} ${colors.yellow(`Longer than the ${expectedMinutes} minutes that it may take`)}: is this machine busy, or has a test become slow?`
}
