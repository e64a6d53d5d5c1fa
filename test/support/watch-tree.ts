import { watch } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Owner } from './tacet.ts'

export interface WatchedTree {
  /** Of the folders that were there at the beginning. */
  folderNames: Set<string>
}

/**
 * Tells of every name that appears, changes or goes anywhere below a folder, and in which folder where that was there before.
 * A recursive watch looks at each file itself before it tells of it, and misses those that are gone by then: it is for folders to come.
 */
export async function watchTree (t: Owner, root: string, onChange: (name: string, folder: string | null) => void, except: string[] = []): Promise<WatchedTree> {
  const entries = (await readdir(root, { recursive: true, withFileTypes: true })).filter(entry => entry.isDirectory())
  const folders = [root, ...entries.map(({ parentPath, name }) => join(parentPath, name))].filter(folder => !except.includes(folder))
  const watchers = [
    watch(root, { recursive: true }, (_event, name) => { if (name !== null) onChange(basename(name), null) }),
    ...folders.map(folder => watch(folder, (_event, name) => { if (name !== null) onChange(name, folder) })),
  ]
  t.teardown(() => watchers.forEach(watcher => watcher.close()))
  return { folderNames: new Set(entries.map(({ name }) => name)) }
}
