import { mkdir, mkdtemp, rm } from 'node:fs/promises'
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
  }
}
