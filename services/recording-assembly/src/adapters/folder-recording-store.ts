import { constants } from 'node:fs'
import { access, mkdir, open, readdir, rm, rmdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { publishAtomically, removeLeftovers } from '@tacet/audio'
import { DependencyUnavailable, isSystemError } from '../usecases/errors.ts'
import type { RecordingStore, StoredFile } from '../usecases/ports.ts'
import { digestOfFile } from './digest.ts'
import { guarded } from './guarded.ts'
import { createSyncBehind } from './sync-behind.ts'

/** Recordings in a local folder: `<first two digits>/<recordingId>/<generation>/<file>`. */
export function createFolderRecordingStore ({ recordingsDir }: { recordingsDir: string }): RecordingStore {
  const folderOf = (recordingId: string): string => join(recordingsDir, recordingId.slice(0, 2).toLowerCase(), recordingId.toLowerCase())
  const generationOf = ({ recordingId, generation }: Omit<StoredFile, 'file'>): string => join(folderOf(recordingId), String(generation))
  const pathOf = (name: StoredFile): string => join(generationOf(name), name.file)

  async function generationsOf (recordingId: string): Promise<number[]> {
    const names = await readdir(folderOf(recordingId)).catch(unless('ENOENT', []))
    return names.map(Number).filter(Number.isInteger)
  }

  async function removeUpTo (recordingId: string, last: number, keep?: number): Promise<void> {
    for (const generation of await generationsOf(recordingId)) {
      if (generation <= last && generation !== keep) await rm(generationOf({ recordingId, generation }), { recursive: true, force: true, maxRetries: 3 })
    }
  }

  return {
    prepare: (recordingId, generation, { keep } = {}) => guarded(async () => {
      const folder = generationOf({ recordingId, generation })
      const first = await mkdir(folder, { recursive: true })
      if (first !== undefined) for (let made = folder; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made))
      await removeUpTo(recordingId, generation - 1, keep)
    }),
    put: (name, write, { signal, confirm, onProgress, readBack } = {}) => guarded(async () => {
      const path = pathOf(name)
      // Of an attempt that was killed. Whoever has nothing to confirm holds no lease: others may be writing the same.
      if (confirm !== undefined) await removeLeftovers(path)
      return await publishAtomically(path, async (file, tempPath) => {
        const disk = createSyncBehind(file)
        const result = await write(file, tempPath, disk.written)
        const { size } = await file.stat()
        const digest = readBack?.(result) ?? digestOfFile(tempPath, signal, bytes => onProgress?.(bytes / size))
        // At once: what is read back comes out of the page cache, before the disk has it as well as after.
        const [stored] = await Promise.all([digest, disk.settle().then(() => file.sync())])
        if (stored.bytes !== size) throw new DependencyUnavailable('store', `${size} bytes stored, not ${stored.bytes}`)
        await confirm?.()
        return { result, ...stored }
      }, signal === undefined ? {} : { signal })
    }),
    read: (name, range) => guarded(async () => {
      const file = await open(pathOf(name))
      // A file that has lost bytes would end early, and leave the caller waiting for the rest.
      const { size } = await file.stat()
      if (range !== undefined && size <= range.end) {
        await file.close()
        throw new DependencyUnavailable('store', `${size} bytes instead of at least ${range.end + 1}`)
      }
      return file.createReadStream({ ...range, highWaterMark: 256 * 1024 })
    }),
    size: name => guarded(async () => (await stat(pathOf(name))).size),
    discard: (recordingId, generation, { keep } = {}) => guarded(async () => {
      await removeUpTo(recordingId, generation, keep)
      // Not recursive: a later generation may have been begun meanwhile.
      await rmdir(folderOf(recordingId)).catch(unless('ENOENT', undefined)).catch(unless('ENOTEMPTY', undefined))
    }),
    list: recordingId => guarded(async () => {
      const found: StoredFile[] = []
      for (const generation of await generationsOf(recordingId)) {
        for (const file of await readdir(generationOf({ recordingId, generation })).catch(unless('ENOENT', []))) found.push({ recordingId, generation, file })
      }
      return found
    }),
    async check () {
      await access(recordingsDir, constants.W_OK)
      return { isOk: true, kind: 'folder' }
    },
    close () {},
  }
}

const unless = <T>(code: string, instead: T) => (error: unknown): T => {
  if (isSystemError(error) && error.code === code) return instead
  throw error
}

async function syncFolder (path: string): Promise<void> {
  const folder = await open(path)
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
