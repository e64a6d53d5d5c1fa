import { readFileSync } from 'node:fs'
import { run } from './process.ts'

export type UnixUser = { name: string, uid: number, gid: number }

export const isRoot = (): boolean => process.getuid?.() === 0

/** An unprivileged user that every Debian has, for what refuses to run as root; nothing when we aren't root. */
export function unprivilegedUser (): UnixUser | undefined {
  if (!isRoot()) return undefined
  const users = readFileSync('/etc/passwd', 'utf8').split('\n').map((line) => line.split(':'))
  const entry = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody')
  const [name = 'nobody', , uid = '65534', gid = '65534'] = entry ?? []
  return { name, uid: Number(uid), gid: Number(gid) }
}

/** Whether somebody else may read a file or enter a folder: each folder above it counts (/root is closed). */
export async function canReach (user: UnixUser, path: string, signal: AbortSignal): Promise<boolean> {
  try {
    await run('test', ['-r', path], { user, signal, cwd: '/' })
    return true
  } catch {
    return false
  }
}
