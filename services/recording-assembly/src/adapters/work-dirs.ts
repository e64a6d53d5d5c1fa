import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { DependencyUnavailable } from '../usecases/errors.ts'
import type { WorkDirs } from '../usecases/ports.ts'

/** Below the recordings, on the same disk: what fits there fits here. */
export function createWorkDirs ({ recordingsDir }: { recordingsDir: string }): WorkDirs {
  const root = join(recordingsDir, '.work')
  const folderOf = (recordingId: string): string => join(root, recordingId.toLowerCase())
  const remove = (recordingId: string): Promise<void> => rm(folderOf(recordingId), { recursive: true, force: true })

  return {
    async create (recordingId) {
      try {
        await remove(recordingId)
        await mkdir(folderOf(recordingId), { recursive: true })
        // A name of its own, so that an attempt that has lost its lease can't write into ours.
        return await mkdtemp(join(folderOf(recordingId), 'attempt-'))
      } catch (error) {
        throw new DependencyUnavailable('store', 'no room to work in', error)
      }
    },
    remove,
    async clear (recordingId) {
      for (const name of await namesIn(root)) if (name === recordingId.toLowerCase() || name.startsWith(`${recordingId.toLowerCase()}.`)) await rm(join(root, name), { recursive: true, force: true })
    },
    async sweep (olderThanMs) {
      const bound = Date.now() - olderThanMs
      for (const name of await namesIn(root)) {
        const entry = await stat(join(root, name)).catch(() => null)
        if (entry !== null && entry.mtimeMs < bound) await rm(join(root, name), { recursive: true, force: true })
      }
    },
  }
}

const namesIn = async (folder: string): Promise<string[]> => await readdir(folder).catch(() => [])
