import type { FileHandle } from 'node:fs/promises'

const STRIDE_BYTES = 8 * 1024 * 1024

/** Has the disk take what is written while more of it is being written, so that little is left to wait for at the end. */
export function createSyncBehind (file: FileHandle): { written: (bytes: number) => void, settle: () => Promise<void> } {
  let syncedBytes = 0
  let all: Promise<void> = Promise.resolve()

  return {
    /** So many bytes by now. */
    written (bytes) {
      if (bytes - syncedBytes < STRIDE_BYTES) return
      syncedBytes = bytes
      all = all.then(() => file.datasync())
      all.catch(() => {}) // whoever settles it gets the error
    },
    /** What the disk has lost it tells only once: a sync that succeeds after one that failed proves nothing. */
    settle: () => all,
  }
}
