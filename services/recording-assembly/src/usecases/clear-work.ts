import type { Logger } from '@tacet/service-kit'
import type { Recordings, WorkDirs } from './ports.ts'

export interface ClearWorkDependencies {
  workDirs: Pick<WorkDirs, 'list' | 'remove'>
  recordings: Pick<Recordings, 'atRest'>
  logger: Logger
}

/** Removes from the disk of this instance what is left of recordings that are done: another one, with a disk of its own, may have done them. */
export function createClearWork ({ workDirs, recordings, logger }: ClearWorkDependencies) {
  return async (): Promise<void> => {
    // Before the question: whatever begins after it has another name.
    const found = await workDirs.list()
    if (found.length === 0) return
    const done = new Set(await recordings.atRest([...new Set(found.map(({ recordingId }) => recordingId))]))
    const left = found.filter(({ recordingId }) => done.has(recordingId))
    for (const { path } of left) await workDirs.remove(path)
    if (left.length > 0) logger.info({ folders: left.length }, 'leftovers of work removed')
  }
}
