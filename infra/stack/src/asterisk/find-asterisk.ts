import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Context } from '../context.ts'
import { debianMirror, debianPackages, hasCommand, suggestInstall } from '../system/debian.ts'
import { Failure } from '../system/failure.ts'
import { cacheDir } from '../system/paths.ts'
import { run } from '../system/process.ts'
import { isRoot } from '../system/unix-user.ts'
import { isNewEnough, oldestVersion, versionIn } from './version.ts'

const builder = join(import.meta.dirname, '../../asterisk-root.sh')

/** The cached Debian root, made by asterisk-root.sh. */
export const asteriskRoot = join(cacheDir, 'asterisk-forky')

/** How to run an Asterisk, and where its modules and its data (ARI's descriptions, sounds) are. */
export type Asterisk = { command: string, args: string[], moduleDir: string, shareDir: string, version: string }

/** The Asterisk on PATH when it is new enough, else one in a Debian root in the cache, made when it isn't there. */
export async function findAsterisk (context: Context): Promise<Asterisk> {
  const { signal, say } = context
  const installed = await findOnPath(signal)
  if (installed) return installed
  if (!existsSync(asteriskRoot)) {
    if (!isRoot()) {
      throw new Failure(`There is no Asterisk ${oldestVersion} or newer on the PATH, and only root can make one. Either\n` +
        `    sudo ${builder} ${asteriskRoot} ${debianMirror()}\nor name a running one with ARI_URL (docs/configuration.md says what else it needs).`)
    }
    if (!hasCommand('debootstrap')) throw new Failure(`Asterisk needs debootstrap: ${suggestInstall([debianPackages.debootstrap])}`)
    say('making a Debian root for it')
    await run('bash', [builder, asteriskRoot, debianMirror()], {
      signal,
      onLine: (line) => {
        const step = /^STEP (.*)/.exec(line)?.[1]
        if (step) say(step)
      },
    })
  }
  return await findInRoot(signal)
}

/** The one on PATH, if we can use it. */
export async function findOnPath (signal: AbortSignal): Promise<Asterisk | undefined> {
  if (!hasCommand('asterisk')) return undefined
  const version = await versionOf('asterisk', [], signal)
  if (!isNewEnough(version)) return undefined
  const triplet = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu'
  const moduleDir = [`/usr/lib/${triplet}/asterisk/modules`, '/usr/lib/asterisk/modules', '/usr/lib64/asterisk/modules']
    .find((dir) => existsSync(join(dir, 'app_mixmonitor.so')))
  const shareDir = ['/usr/share/asterisk', '/var/lib/asterisk'].find((dir) => existsSync(join(dir, 'rest-api/resources.json')))
  if (!moduleDir || !shareDir) return undefined
  return { command: 'asterisk', args: [], moduleDir, shareDir, version }
}

/** Run by the root's own loader on the root's own libraries: no chroot, so it sees this machine's folders as they are. */
async function findInRoot (signal: AbortSignal): Promise<Asterisk> {
  const [triplet, loader] = process.arch === 'arm64'
    ? ['aarch64-linux-gnu', 'lib/ld-linux-aarch64.so.1']
    : ['x86_64-linux-gnu', 'lib64/ld-linux-x86-64.so.2']
  const libDir = join(asteriskRoot, 'usr/lib', triplet)
  const command = join(asteriskRoot, loader)
  const args = ['--library-path', `${libDir}:${libDir}/asterisk`, join(asteriskRoot, 'usr/sbin/asterisk')]
  const version = await versionOf(command, args, signal)
  if (!isNewEnough(version)) {
    throw new Failure(`The Asterisk in ${asteriskRoot} is ${version}, older than ${oldestVersion}. Remove that folder, and it is made anew:\n    rm -r ${asteriskRoot}`)
  }
  return { command, args, moduleDir: join(libDir, 'asterisk/modules'), shareDir: join(asteriskRoot, 'usr/share/asterisk'), version }
}

async function versionOf (command: string, args: string[], signal: AbortSignal): Promise<string> {
  const answer = await run(command, [...args, '-V'], { signal })
  return versionIn(answer)
}
