import { mkdir, mkdtemp, open, readdir, rm, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import type { StoredFile } from '../usecases/ports.ts'

type Purpose = 'plain' | 'upload'

export interface ScratchOptions {
  /** Nobody else may be making this file now: what there is was left by a killed attempt, and goes. */
  isAlone: boolean
}

const rootOf = (recordingsDir: string): string => join(recordingsDir, '.work')
const prefixOf = (recordingId: string, purpose: Purpose): string => `${recordingId.toLowerCase()}.${purpose}.`

/** Lets `work` have a local file of its own, which is gone afterwards. Several may make the same file at once. */
export async function withScratchFile<T> (recordingsDir: string, { recordingId, file: name }: StoredFile, purpose: Purpose, { isAlone }: ScratchOptions, work: (file: FileHandle, path: string) => Promise<T>): Promise<T> {
  const root = rootOf(recordingsDir)
  const prefix = `${prefixOf(recordingId, purpose)}${name}.`
  await mkdir(root, { recursive: true })
  if (isAlone) await removeAll(root, prefix)
  const folder = await mkdtemp(join(root, prefix))
  try {
    const path = join(folder, name)
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

/** Removes what attempts at any file of this recording have left, or are making. */
export async function clearScratch (recordingsDir: string, recordingId: string, purpose: Purpose): Promise<void> {
  await removeAll(rootOf(recordingsDir), prefixOf(recordingId, purpose))
}

async function removeAll (root: string, prefix: string): Promise<void> {
  const names = await readdir(root).catch(() => [])
  for (const name of names.filter(name => name.startsWith(prefix))) await rm(join(root, name), { recursive: true, force: true })
}
