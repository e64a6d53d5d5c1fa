import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { preflight, runUntilStopped, showProgress, startInfrastructure, supervise } from '@tacet/stack'

/** Each time others; the names of the tests say which, to have them again. */
const fuzzing = { FUZZ_REQUESTS: '20000', FUZZ_SEED: String(Date.now() % 1_000_000_000) }

/**
 * Tests of `npm test` that can be had for longer: by the variables that ask for more. What the environment says already stays.
 * Each must end in so many minutes: about twice what two cores take.
 */
const sections: { name: string, minutes: number, file: string, env: Record<string, string> }[] = [
  { name: 'wav', minutes: 10, file: 'packages/audio/test/unit/torn-files.test.ts', env: { WAV_MUTATIONS: '10000' } },
  { name: 'wav-headers', minutes: 10, file: 'packages/audio/test/unit/wav-fuzz.test.ts', env: { WAV_MUTATIONS: '10000' } },
  { name: 'fuzz-settings', minutes: 15, file: 'services/settings/test/integration/fuzz.test.ts', env: fuzzing },
  { name: 'fuzz-call-control', minutes: 15, file: 'services/call-control/test/integration/fuzz.test.ts', env: { ...fuzzing, FUZZ_STORE: 'postgres' } },
  { name: 'fuzz-assembly', minutes: 15, file: 'services/recording-assembly/test/integration/fuzz.test.ts', env: fuzzing },
  { name: 'kills', minutes: 60, file: 'services/recording-assembly/test/integration/kills.test.ts', env: { KILLS: '200' } },
  { name: 'memory', minutes: 60, file: 'services/recording-assembly/test/integration/memory.test.ts', env: { MEMORY_HOURS: '10' } },
  { name: 'gap-modes', minutes: 10, file: 'test/e2e/gap-modes.test.ts', env: { GAP_MODES: 'all' } },
  { name: 'stereo-sync', minutes: 80, file: 'test/e2e/stereo-sync.test.ts', env: { STEREO_MINUTES: '60' } },
  { name: 'matrix', minutes: 60, file: 'test/matrix/matrix.test.ts', env: { MATRIX: 'all' } },
  { name: 'leak', minutes: 40, file: 'test/leak/leak.test.ts', env: { LEAK_CYCLES: '10000', LEAK_CALLS: '20' } },
]

const root = fileURLToPath(new URL('../..', import.meta.url))
const dataDir = join(root, '.local/soak')
const names = process.argv.slice(2)
const unknown = names.filter(wanted => !sections.some(({ name }) => name === wanted))
if (unknown.length > 0) throw new Error(`there is no ${unknown.join(', ')}; there are ${sections.map(({ name }) => name).join(', ')}`)

/** The sections named, or all, on a stack of their own. One that takes too long is ended, and has failed; the others go on. */
await runUntilStopped(async own => {
  const progress = showProgress()
  const supervisor = own(supervise(dataDir, { isFresh: true }))
  await preflight(progress, supervisor.signal)
  const addresses = join(dataDir, 'stack.json')
  writeFileSync(addresses, JSON.stringify(await startInfrastructure(supervisor, progress, { withS3: true })), { mode: 0o600 })

  const failed: string[] = []
  for (const { name, minutes, file, env } of sections.filter(({ name }) => names.length === 0 || names.includes(name))) {
    progress.line(`\n${name}: ${Object.entries(env).map(pair => pair.join('=')).join(' ')}, at most ${minutes} minutes\n`)
    const startedAtMs = performance.now()
    const signal = AbortSignal.any([supervisor.signal, AbortSignal.timeout(minutes * 60_000)])
    const test = spawn(process.execPath, ['--conditions=@tacet/source', join(root, file)], { env: { ...env, ...process.env, TACET_STACK: addresses }, stdio: 'inherit', signal, killSignal: 'SIGTERM' })
    // That it was ended for being late is an error event; that it has ended is what counts.
    test.on('error', error => progress.line(`${name}: ${error.message}`))
    const exited = new Promise<number | null>(resolve => test.once('exit', code => resolve(code)))
    const code = await Promise.race([exited, supervisor.died])
    progress.line(`${name} took ${Math.round((performance.now() - startedAtMs) / 6000) / 10} minutes\n`)
    supervisor.signal.throwIfAborted()
    if (code !== 0) failed.push(name)
  }
  if (failed.length > 0) throw new Error(`failed: ${failed.join(', ')}`)
})
