import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { preflight, runUntilStopped, showProgress, startInfrastructure, supervise } from '@tacet/stack'

const cycles = Number(process.env.LEAK_CYCLES ?? 10_000)
const deadlineMinutes = Number(process.env.SOAK_MINUTES ?? 120)
const root = fileURLToPath(new URL('../..', import.meta.url))
const dataDir = join(root, '.local/soak')

/** The leak test with many more pauses, on a stack of its own. Ends in `deadlineMinutes` at the latest. */
await runUntilStopped(async own => {
  const progress = showProgress()
  const supervisor = own(supervise(dataDir, { isFresh: true }))
  const signal = AbortSignal.any([supervisor.signal, AbortSignal.timeout(deadlineMinutes * 60_000)])
  await preflight(progress, signal)
  const addresses = join(dataDir, 'stack.json')
  writeFileSync(addresses, JSON.stringify(await startInfrastructure(supervisor, progress)), { mode: 0o600 })

  progress.line(`\n${cycles} pauses, at most ${deadlineMinutes} minutes\n`)
  const env = { ...process.env, TACET_STACK: addresses, LEAK_CYCLES: String(cycles) }
  const test = spawn(process.execPath, ['--conditions=@tacet/source', join(root, 'test/leak/leak.test.ts')], { env, stdio: 'inherit', signal, killSignal: 'SIGTERM' })
  const [code] = await Promise.race([once(test, 'exit'), supervisor.died])
  if (code !== 0) throw new Error('the leak test failed')
})
