import { access, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { TrackFile } from '@tacet/contracts'
import { DependencyUnavailable, isSystemError } from '../usecases/errors.ts'
import type { SegmentSource } from '../usecases/ports.ts'

/** Segments in a folder shared with Asterisk: its spool, or only the `recording` folder in it. They are read where they are. */
export function createFolderSegmentSource ({ spoolDir }: { spoolDir: string }): SegmentSource {
  const candidates = [join(spoolDir, 'recording'), spoolDir]

  /** A share that is not mounted, or the wrong folder, must not pass for files that are missing. */
  async function findRoot (): Promise<string> {
    let cause: unknown
    for (const root of candidates) {
      const isRoot = await stat(join(root, 'tacet')).then(entry => entry.isDirectory(), error => { cause = error })
      if (isRoot) return root
    }
    throw unavailable(`no folder tacet in ${candidates.join(' or ')}`, cause)
  }

  const pathOf = async ({ name, format }: TrackFile): Promise<string> => join(await findRoot(), `${name}.${format}`)

  return {
    async fetch (file) {
      const path = await pathOf(file)
      try {
        await access(path)
        return path
      } catch (error) {
        if (!isSystemError(error) || error.code !== 'ENOENT') throw unavailable(`${file.name} can't be reached`, error)
        await findRoot()
        return null
      }
    },
    async remove (file) {
      const path = await pathOf(file)
      await rm(path, { force: true }).catch(error => { throw unavailable(`${file.name} can't be deleted`, error) })
    },
    async check () {
      await findRoot()
      return { isOk: true, kind: 'folder' }
    },
    async close () {},
  }
}

const unavailable = (message: string, cause: unknown) => new DependencyUnavailable('segments', message, cause)
