import { mkdir, mkdtemp, open, rm, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import type { StoredFile } from '../usecases/ports.ts'

/**
 * Lets `work` have a local file of its own, which is gone afterwards. What a killed attempt to make the same file has left
 * goes before it.
 */
export async function withScratchFile<T> (recordingsDir: string, { recordingId, file: name }: StoredFile, purpose: string, work: (file: FileHandle, path: string) => Promise<T>): Promise<T> {
  const folder = join(recordingsDir, '.work', `${recordingId.toLowerCase()}.${purpose}.${name}`)
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  const path = join(await mkdtemp(join(folder, 'attempt-')), name)
  try {
    const file = await open(path, 'wx+', 0o600)
    try {
      return await work(file, path)
    } finally {
      await file.close()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
