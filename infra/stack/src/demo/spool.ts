import { linkSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'

export type Segments = {
  /** Takes note of the call's segment files as they are now: their sizes in bytes. */
  look: (callId: string) => Record<string, number>
  /** The files, which stay readable here when assembly has deleted them from the spool. */
  files: () => string[]
}

/** Keeps a second link to each segment file of a call, so that all that Asterisk wrote can be read afterwards. */
export function watchSegments (spoolDir: string, dir: string): Segments {
  rmSync(dir, { recursive: true, force: true })
  mkdirSync(dir, { recursive: true })
  const spool = join(spoolDir, 'tacet')
  return {
    look (callId) {
      const names = readdirSync(spool).filter((name) => name.includes(callId))
      return Object.fromEntries(names.map((name) => {
        const mine = join(dir, name)
        if (!readdirSync(dir).includes(name)) linkSync(join(spool, name), mine)
        return [name, statSync(mine).size]
      }))
    },
    files: () => readdirSync(dir).sort().map((name) => join(dir, name)),
  }
}
