import { randomUUID } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { open, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

const TEMP_SUFFIX = '.part'

/**
 * Lets `write` fill a temporary file beside `path`, then syncs it and moves it there: readers see all of it or nothing, also
 * after a power cut. Replaces what was there. The temporary file is removed if anything fails (a killed process leaves it: see
 * `removeLeftovers`). Returns what `write` returned.
 */
export async function publishAtomically<T> (path: string, write: (file: FileHandle, tempPath: string) => Promise<T>, options: { mode?: number, signal?: AbortSignal } = {}): Promise<T> {
  const directory = dirname(path)
  const tempPath = join(directory, `${tempPrefix(path)}${randomUUID()}${TEMP_SUFFIX}`)
  const file = await open(tempPath, 'wx+', options.mode ?? 0o640)
  try {
    const result = await write(file, tempPath).then(async result => {
      options.signal?.throwIfAborted()
      await file.sync()
      return result
    }).finally(() => file.close())
    await rename(tempPath, path)
    await syncDirectory(directory)
    return result
  } catch (error) {
    await rm(tempPath, { force: true })
    throw error
  }
}

/** Removes the temporary files that killed attempts to publish `path` have left; returns how many. Makes an attempt under way fail. */
export async function removeLeftovers (path: string): Promise<number> {
  const directory = dirname(path)
  const prefix = tempPrefix(path)
  const leftovers = (await readdir(directory)).filter(name => name.startsWith(prefix) && name.endsWith(TEMP_SUFFIX))
  for (const name of leftovers) await rm(join(directory, name), { force: true })
  return leftovers.length
}

function tempPrefix (path: string): string {
  return `.${basename(path)}.`
}

async function syncDirectory (path: string): Promise<void> {
  const directory = await open(path)
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
