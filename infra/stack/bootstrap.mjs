// Runs on any Node 20 with nothing installed: installs the dependencies, then hands over to the pinned Node 24.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const startedAtMs = Date.now()
const root = fileURLToPath(new URL('../..', import.meta.url))
const [command, ...args] = process.argv.slice(2)
const entries = { start: 'infra/stack/src/start.ts', test: 'infra/stack/src/test.ts', soak: 'test/leak/soak.ts', bench: 'bench/main.ts' }
const entry = join(root, entries[command] ?? '')
const node = join(root, 'node_modules/node/bin/node')

function refuse (message) {
  process.stderr.write(`✗ ${message}\n`)
  process.exit(1)
}

function install () {
  const stamp = join(root, 'node_modules/.installed-for')
  const lockfile = createHash('sha256').update(readFileSync(join(root, 'pnpm-lock.yaml'))).digest('hex')
  if (existsSync(stamp) && existsSync(node) && readFileSync(stamp, 'utf8') === lockfile) return
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  process.stdout.write(`Installing dependencies with ${packageManager} …\n`)
  const { status } = spawnSync('npx', ['-y', packageManager, 'install', '--frozen-lockfile'], { cwd: root, stdio: 'inherit' })
  if (status !== 0) refuse(`The dependencies could not be installed. To see more:\n    npx -y ${packageManager} install --frozen-lockfile`)
  writeFileSync(stamp, lockfile)
}

if (process.platform !== 'linux') refuse(`Tacet's stack runs on Linux; this is ${process.platform}.`)
if (Number(process.versions.node.split('.')[0]) < 20) refuse(`Node 20 or newer is needed to begin; this is ${process.version}.`)
if (!(command in entries)) refuse(`Usage: bootstrap.mjs ${Object.keys(entries).join('|')}`)
install()

const env = {
  ...process.env,
  PATH: join(root, 'node_modules/.bin') + delimiter + process.env.PATH,
  // Each process of the stack reads the same sources: what one has compiled, the next one finds.
  NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(root, 'node_modules/.cache/tacet-compiled'),
  TACET_STARTED_AT_MS: String(startedAtMs),
}
const child = spawn(node, ['--conditions=@tacet/source', entry, ...args], { cwd: root, env, stdio: 'inherit' })
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
// Whoever ends npm, or the shell that it runs this in, ends us: nobody passes their signal on.
const parent = process.ppid
setInterval(() => { if (process.ppid !== parent) child.kill('SIGTERM') }, 1000).unref()
child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]))
