import type { Progress } from './progress.ts'
import { asteriskRoot, findOnPath } from './asterisk/find-asterisk.ts'
import { debianPackages, hasCommand, suggestInstall } from './system/debian.ts'
import type { NeededCommand } from './system/debian.ts'
import { existsSync } from 'node:fs'
import { Failure } from './system/failure.ts'
import { run } from './system/process.ts'
import { isRoot } from './system/unix-user.ts'

/** Installs the Debian packages that are missing, of those that every stack needs and `more`, when root; else a Failure names them and the command that mends it. */
export async function preflight (progress: Progress, signal: AbortSignal, more: NeededCommand[] = []): Promise<void> {
  if (process.platform !== 'linux') throw new Failure(`Tacet's stack runs on Linux; this is ${process.platform}.`)
  const missing = [...await neededCommands(signal), ...more].filter((command) => !hasCommand(command))
  if (missing.length > 0) await install(missing.map((command) => debianPackages[command]), progress, signal)
  if (!process.env.KAFKA_BROKERS) await checkJava(signal)
}

/** What this machine and this environment cannot do without. */
export async function neededCommands (signal: AbortSignal): Promise<NeededCommand[]> {
  const needed: NeededCommand[] = ['espeak-ng', 'ffmpeg']
  if (!process.env.KAFKA_BROKERS) needed.push('java', 'mvn')
  if (!process.env.ARI_URL && !existsSync(asteriskRoot) && !await findOnPath(signal)) needed.push('debootstrap')
  return needed
}

async function install (packages: string[], progress: Progress, signal: AbortSignal): Promise<void> {
  if (!hasCommand('apt-get')) throw new Failure(`Missing: ${packages.join(', ')} (as Debian calls them). On Debian they are installed by themselves; here, please install them.`)
  if (!isRoot()) throw new Failure(`Missing: ${packages.join(', ')}. This mends it:\n    ${suggestInstall(packages)}`)
  await progress.step('Debian packages', async (say) => {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    const onLine = (line: string): void => {
      const what = /^(?:Get:\d+ \S+ \S+ \S+ (\S+)|Setting up (\S+))/.exec(line)
      if (what) say(what[1] ?? what[2] ?? '')
    }
    say(`apt-get update, to install ${packages.join(', ')}`)
    await run('apt-get', ['update'], { signal, env })
    await run('apt-get', ['install', '--yes', '--no-install-recommends', ...packages], { signal, env, onLine })
  })
}

async function checkJava (signal: AbortSignal): Promise<void> {
  const answer = await run('java', ['-version'], { signal })
  const major = Number(/version "(\d+)/.exec(answer)?.[1])
  if (major < 17) throw new Failure(`Kafka needs Java 17 or newer; this one is ${major}. This mends it:\n    ${suggestInstall([debianPackages.java])}`)
}
