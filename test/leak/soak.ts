import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { preflight, runUntilStopped, showProgress, startInfrastructure, supervise } from '@tacet/stack'

/** Each time others; the names of the tests say which, to have them again. */
const fuzzing = { FUZZ_REQUESTS: '20000', FUZZ_SEED: String(Date.now() % 1_000_000_000) }

/** Tests of `npm test` that can be had for longer: by the variables that ask for more. What the environment says already stays. */
const sections: { name: string, file: string, env: Record<string, string> }[] = [
  { name: 'wav', file: 'packages/audio/test/unit/torn-files.test.ts', env: { WAV_MUTATIONS: '10000' } },
  { name: 'wav-headers', file: 'packages/audio/test/unit/wav-fuzz.test.ts', env: { WAV_MUTATIONS: '10000' } },
  { name: 'fuzz-settings', file: 'services/settings/test/integration/fuzz.test.ts', env: fuzzing },
  { name: 'fuzz-call-control', file: 'services/call-control/test/integration/fuzz.test.ts', env: { ...fuzzing, FUZZ_STORE: 'postgres' } },
  { name: 'fuzz-assembly', file: 'services/recording-assembly/test/integration/fuzz.test.ts', env: fuzzing },
  { name: 'kills', file: 'services/recording-assembly/test/integration/kills.test.ts', env: { KILLS: '200' } },
  { name: 'memory', file: 'services/recording-assembly/test/integration/memory.test.ts', env: { MEMORY_HOURS: '10' } },
  { name: 'gap-modes', file: 'test/e2e/gap-modes.test.ts', env: { GAP_MODES: 'all' } },
  { name: 'matrix', file: 'test/matrix/matrix.test.ts', env: { MATRIX: 'all' } },
  { name: 'leak', file: 'test/leak/leak.test.ts', env: { LEAK_CYCLES: '10000' } },
]

const deadlineMinutes = Number(process.env.SOAK_MINUTES ?? 120)
const root = fileURLToPath(new URL('../..', import.meta.url))
const dataDir = join(root, '.local/soak')
const names = process.argv.slice(2)
const unknown = names.filter(wanted => !sections.some(({ name }) => name === wanted))
if (unknown.length > 0) throw new Error(`there is no ${unknown.join(', ')}; there are ${sections.map(({ name }) => name).join(', ')}`)

/** The sections named, or all, on a stack of their own. Ends in `deadlineMinutes` at the latest. */
await runUntilStopped(async own => {
  const progress = showProgress()
  const supervisor = own(supervise(dataDir, { isFresh: true }))
  const signal = AbortSignal.any([supervisor.signal, AbortSignal.timeout(deadlineMinutes * 60_000)])
  await preflight(progress, signal)
  const addresses = join(dataDir, 'stack.json')
  writeFileSync(addresses, JSON.stringify(await startInfrastructure(supervisor, progress)), { mode: 0o600 })

  const failed: string[] = []
  for (const { name, file, env } of sections.filter(({ name }) => names.length === 0 || names.includes(name))) {
    progress.line(`\n${name}: ${Object.entries(env).map(pair => pair.join('=')).join(' ')}, at most ${deadlineMinutes} minutes for everything\n`)
    const test = spawn(process.execPath, ['--conditions=@tacet/source', join(root, file)], { env: { ...env, ...process.env, TACET_STACK: addresses }, stdio: 'inherit', signal, killSignal: 'SIGTERM' })
    const [code] = await Promise.race([once(test, 'exit'), supervisor.died])
    if (code !== 0) failed.push(name)
  }
  if (failed.length > 0) throw new Error(`failed: ${failed.join(', ')}`)
})
