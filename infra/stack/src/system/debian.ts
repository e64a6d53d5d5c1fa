import { accessSync, constants, readdirSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { isRoot } from './unix-user.ts'

/** The Debian package of each command we need. */
export const debianPackages = {
  debootstrap: 'debootstrap',
  java: 'default-jre-headless',
  mvn: 'maven',
  'espeak-ng': 'espeak-ng',
  ffmpeg: 'ffmpeg',
  sox: 'sox',
} as const

export type NeededCommand = keyof typeof debianPackages

/** Whether a command is on the PATH, or on root's. */
export function hasCommand (command: string): boolean {
  return [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'].some((dir) => {
    try {
      accessSync(join(dir, command), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** The command that installs packages, as whoever reads it must type it. */
export const suggestInstall = (packages: string[]): string =>
  ['update', `install --no-install-recommends ${packages.join(' ')}`].map((action) => `${isRoot() ? '' : 'sudo '}apt-get ${action}`).join(' && ')

/** Where Debian packages come from: TACET_DEBIAN_MIRROR, else the mirror this machine uses, else Debian's own. */
export const debianMirror = (): string =>
  process.env.TACET_DEBIAN_MIRROR || mirrorOf(readAptSources()) || 'http://deb.debian.org/debian'

/** The first Debian archive named in apt's sources (both of its formats). */
export function mirrorOf (sources: string): string | undefined {
  const urls = sources.split('\n')
    .filter((line) => /^\s*(deb\s|URIs:)/.test(line))
    .flatMap((line) => line.match(/https?:\/\/\S+/g) ?? [])
  return urls.map((url) => url.replace(/\/+$/, '')).find((url) => url.endsWith('/debian'))
}

function readAptSources (): string {
  const dir = '/etc/apt/sources.list.d'
  const list = (): string[] => {
    try {
      return readdirSync(dir).sort().map((name) => join(dir, name))
    } catch {
      return []
    }
  }
  return ['/etc/apt/sources.list', ...list()].map((file) => {
    try {
      return readFileSync(file, 'utf8')
    } catch {
      return ''
    }
  }).join('\n')
}
