import { execFile } from 'node:child_process'
import { chmodSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import type { Test } from 'tap'

// Nothing that this machine has made before counts.
process.env.XDG_CACHE_HOME = t.testdir()
const { findAsterisk } = await import('../../src/asterisk/find-asterisk.ts')
const { neededCommands, preflight } = await import('../../src/preflight.ts')
const { repositoryDir } = await import('../../src/system/paths.ts')

type Machine = {
  isRoot?: boolean
  /** What each command of it does, as a shell script. */
  commands: Record<string, string>
  env?: Record<string, string>
}

const nothing = 'exit 0'
const java = (version: string) => `echo 'openjdk version "${version}" 2024-01-01' >&2`
const complete = { 'espeak-ng': nothing, ffmpeg: nothing, mvn: nothing, java: java('21.0.2'), debootstrap: nothing }

/** Makes this one look like a machine with these commands and no others, but for what lies in /usr/sbin. */
function pretend (t: Test, { isRoot = false, commands, env = {} }: Machine): void {
  const bin = t.testdir()
  symlinkSync('/usr/bin/setpriv', join(bin, 'setpriv'))
  for (const [name, script] of Object.entries(commands)) {
    writeFileSync(join(bin, name), `#!/bin/bash\n${script}\n`)
    chmodSync(join(bin, name), 0o755)
  }
  const { KAFKA_BROKERS: _brokers, ARI_URL: _ari, ...others } = process.env
  t.intercept(process, 'env', { value: { ...others, PATH: bin, ...env } })
  t.intercept(process, 'getuid', { value: () => isRoot ? 0 : 1000 })
}

/** Returns the steps that it showed. */
async function preflightOn (t: Test, machine: Machine): Promise<string[]> {
  pretend(t, machine)
  const steps: string[] = []
  const progress = {
    line: () => {},
    step: async <T>(title: string, work: (say: (detail: string) => void) => Promise<T>) => await work((detail) => { steps.push(`${title}: ${detail}`) }),
  }
  await preflight(progress, AbortSignal.timeout(20_000))
  return steps
}

t.test('a machine that has everything is asked for nothing', async (t) => {
  t.same(await preflightOn(t, { commands: complete }), [])
})

t.test('who is not root is told the packages that are missing, and the command that mends it', async (t) => {
  const { java: _java, 'espeak-ng': _voice, ...commands } = complete
  await t.rejects(preflightOn(t, { commands: { ...commands, 'apt-get': nothing } }), {
    name: 'Failure',
    message: 'Missing: espeak-ng, default-jre-headless. This mends it:\n    sudo apt-get update && sudo apt-get install --no-install-recommends espeak-ng default-jre-headless',
  })
})

t.test('where there is no apt-get, it is not what mends it', async (t) => {
  const { ffmpeg: _ffmpeg, ...commands } = complete
  await t.rejects(preflightOn(t, { isRoot: true, commands }), { name: 'Failure', message: /^Missing: ffmpeg .*please install them\.$/ })
})

t.test('root has them installed', async (t) => {
  const { ffmpeg: _ffmpeg, ...commands } = complete
  const steps = await preflightOn(t, { isRoot: true, commands: { ...commands, 'apt-get': '[ "$1" = update ] || echo "Setting up $4 (1.0)"' } })
  t.same(steps, ['Debian packages: apt-get update, to install ffmpeg', 'Debian packages: ffmpeg'])
})

for (const version of ['1.8.0_392', '11.0.22']) {
  t.test(`Java ${version} is too old for Kafka, and not looked at where the brokers are somebody else's`, async (t) => {
    const commands = { ...complete, java: java(version) }
    await t.rejects(preflightOn(t, { commands }), { name: 'Failure', message: /^Kafka needs Java 17 or newer; this one is \d+\. This mends it:\n {4}sudo apt-get .*default-jre-headless$/ })
    t.same(await preflightOn(t, { commands, env: { KAFKA_BROKERS: 'broker:9092' } }), [])
  })
}

t.test('an Asterisk on the PATH that is too old is as good as none: debootstrap is needed', async (t) => {
  pretend(t, { commands: { ...complete, asterisk: "echo 'Asterisk 20.6.0~dfsg+~cs6.13.40431414'" } })
  const { signal } = new AbortController()
  t.ok((await neededCommands(signal)).includes('debootstrap'))
  const context = { dataDir: t.testdirName, signal, say: () => {}, launch: () => { throw new Error('not launched') }, secret: () => '' }
  await t.rejects(findAsterisk(context), { name: 'Failure', message: /^There is no Asterisk 22\.10\.1 or newer on the PATH, and only root can make one/ })
  process.env.ARI_URL = 'http://pbx:8088'
  t.notOk((await neededCommands(signal)).includes('debootstrap'))
})

t.test('other systems than Linux are named, before and after the dependencies are there', async (t) => {
  t.intercept(process, 'platform', { value: 'darwin' })
  await t.rejects(preflightOn(t, { commands: complete }), { name: 'Failure', message: "Tacet's stack runs on Linux; this is darwin." })
})

/** Runs a copy that has nothing around it, so that it can not begin even where it does not refuse to. */
async function bootstrap (pretence: string, ...args: string[]): Promise<unknown> {
  const copy = join(t.testdir({ stack: { 'bootstrap.mjs': readFileSync(join(repositoryDir, 'infra/stack/bootstrap.mjs'), 'utf8') } }), 'stack/bootstrap.mjs')
  return await promisify(execFile)(process.execPath, ['--import', `data:text/javascript,${encodeURIComponent(pretence)}`, copy, ...args])
    .then(() => 'nothing', ({ code, stderr }: { code: number, stderr: string }) => ({ code, stderr }))
}

t.test('npm start says what it can not begin on', async (t) => {
  t.same(await bootstrap("Object.defineProperty(process, 'platform', { value: 'darwin' })", 'start'), { code: 1, stderr: "✗ Tacet's stack runs on Linux; this is darwin.\n" })
  t.same(await bootstrap("Object.defineProperty(process, 'versions', { value: { node: '18.20.0' } }); Object.defineProperty(process, 'version', { value: 'v18.20.0' })", 'start'),
    { code: 1, stderr: '✗ Node 20 or newer is needed to begin; this is v18.20.0.\n' })
  t.same(await bootstrap('', 'nonsense'), { code: 1, stderr: '✗ Usage: bootstrap.mjs start|test|soak|bench\n' })
})
