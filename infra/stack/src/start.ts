import { rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { showGuide } from './demo/guide.ts'
import { playDemoCall } from './demo/play.ts'
import { preflight } from './preflight.ts'
import { showProgress } from './progress.ts'
import { report, runUntilStopped } from './run-until-stopped.ts'
import { demoDirOf, startStack } from './stack.ts'
import { supervise } from './supervisor.ts'
import { repositoryDir } from './system/paths.ts'

const { values: options } = parseArgs({ options: { demo: { type: 'boolean', default: false }, data: { type: 'string' } } })
const dataDir = resolve(options.data ?? join(repositoryDir, '.local'))
const addressBook = join(dataDir, 'stack.json')

await runUntilStopped(async (own) => {
  const progress = showProgress()
  const supervisor = own(supervise(dataDir))
  supervisor.atStop(() => rmSync(addressBook, { force: true })) // it is there only while it is true
  await preflight(progress, supervisor.signal)
  const stack = await startStack(supervisor, progress, addressBook)
  const demo = playDemoCall(stack, { dir: demoDirOf(dataDir), progress, signal: supervisor.signal })
  await Promise.race([demo, supervisor.died]).catch((error: unknown) => {
    if (options.demo || supervisor.signal.aborted) throw error
    report(error) // the stack itself is fine
  })
  if (options.demo) return

  showGuide(stack, progress.line)
  await supervisor.died
})
