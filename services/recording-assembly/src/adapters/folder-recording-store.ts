import { constants } from 'node:fs'
import { access, mkdir, open, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { publishAtomically, removeLeftovers } from '@tacet/audio'
import { timelineSchema } from '@tacet/contracts'
import { DependencyUnavailable, isSystemError } from '../usecases/errors.ts'
import type { RecordingStore } from '../usecases/ports.ts'

/** Recordings in a local folder: `<first two digits>/<recordingId>/recording.wav` and `timeline.json`. */
export function createFolderRecordingStore ({ recordingsDir }: { recordingsDir: string }): RecordingStore {
  const shardOf = (recordingId: string): string => join(recordingsDir, recordingId.slice(0, 2).toLowerCase())
  const folderOf = (recordingId: string): string => join(shardOf(recordingId), recordingId.toLowerCase())
  const audioOf = (recordingId: string): string => join(folderOf(recordingId), 'recording.wav')
  const timelineOf = (recordingId: string): string => join(folderOf(recordingId), 'timeline.json')

  return {
    async prepare (recordingId) {
      await guarded(async () => {
        const isNew = await mkdir(folderOf(recordingId), { recursive: true }) !== undefined
        if (isNew) for (const folder of [shardOf(recordingId), recordingsDir]) await syncFolder(folder)
        await removeLeftovers(audioOf(recordingId))
        await removeLeftovers(timelineOf(recordingId))
      })
    },
    putAudio: (recordingId, write, signal) => guarded(async () => {
      const path = audioOf(recordingId)
      const result = await publishAtomically(path, write, { signal })
      return { result, bytes: (await stat(path)).size }
    }),
    removeAudio: recordingId => guarded(() => rm(audioOf(recordingId), { force: true })),
    discard: recordingId => guarded(() => rm(folderOf(recordingId), { recursive: true, force: true })),
    putTimeline: (recordingId, timeline, confirm) => guarded(() => publishAtomically(timelineOf(recordingId), async file => {
      await file.writeFile(`${JSON.stringify(timeline, null, 2)}\n`)
      await confirm()
    })),
    readAudio: (recordingId, range) => guarded(async () => {
      const file = await open(audioOf(recordingId))
      // A file that has lost bytes would end early, and leave the caller waiting for the rest.
      const { size } = await file.stat()
      if (size <= range.end) {
        await file.close()
        throw new DependencyUnavailable('store', `${size} bytes instead of at least ${range.end + 1}`)
      }
      return file.createReadStream({ ...range, highWaterMark: 256 * 1024 })
    }),
    readTimeline: recordingId => guarded(async () => timelineSchema.parse(JSON.parse(await readFile(timelineOf(recordingId), 'utf8')))),
    async check () {
      await access(recordingsDir, constants.W_OK)
      return { isOk: true, kind: 'folder' }
    },
  }
}

/** A disk that is full, broken or away may be mended. */
async function guarded<T> (work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw isSystemError(error) ? new DependencyUnavailable('store', error.message, error) : error
  }
}

async function syncFolder (path: string): Promise<void> {
  const folder = await open(path)
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
