import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { DependencyUnavailable } from '../usecases/errors.ts'
import type { WorkDirs } from '../usecases/ports.ts'

/** As everything there is named: attempts, copies made ahead, files on their way to the store. */
const OF_RECORDING = /^([\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})\./

/** Below the recordings, on the same disk: what fits there fits here. `<recordingId>.attempt.<generation>.<random>`. */
export function createWorkDirs ({ recordingsDir }: { recordingsDir: string }): WorkDirs {
  const root = join(recordingsDir, '.work')
  const remove = (name: string): Promise<void> => rm(join(root, name), { recursive: true, force: true })

  return {
    async create ({ recordingId, generation }) {
      const prefix = `${recordingId.toLowerCase()}.attempt.`
      const isEarlier = (name: string): boolean => name.startsWith(prefix) && Number.parseInt(name.slice(prefix.length)) < generation
      try {
        await mkdir(root, { recursive: true })
        // Whoever still works in one of these has lost its lease.
        for (const name of (await namesIn(root)).filter(isEarlier)) await remove(name)
        return await mkdtemp(join(root, `${prefix}${generation}.`))
      } catch (error) {
        throw new DependencyUnavailable('store', 'no room to work in', error)
      }
    },
    remove: workDir => rm(workDir, { recursive: true, force: true }),
    async list () {
      return (await namesIn(root)).flatMap(name => {
        const [, recordingId] = OF_RECORDING.exec(name) ?? []
        return recordingId === undefined ? [] : [{ recordingId, path: join(root, name) }]
      })
    },
    async clear (recordingId) {
      for (const name of await namesIn(root)) if (name === recordingId.toLowerCase() || name.startsWith(`${recordingId.toLowerCase()}.`)) await remove(name)
    },
    async sweep (olderThanMs) {
      const bound = Date.now() - olderThanMs
      for (const name of await namesIn(root)) {
        const entry = await stat(join(root, name)).catch(() => null)
        if (entry !== null && entry.mtimeMs < bound) await remove(name)
      }
    },
  }
}

const namesIn = async (folder: string): Promise<string[]> => await readdir(folder).catch(() => [])
