import { problem, type RecordingQuery, type RecordingView, type Timeline } from '@tacet/contracts'
import type { Scope } from '../domain/access.ts'
import { linksOf, toView, type Recording } from '../domain/recording.ts'
import type { Page, RecordingStore, Recordings } from './ports.ts'
import { readTimeline } from './timeline-file.ts'

export type ReadRecording = ReturnType<typeof createReadRecording>

/** What the callers of `scope` may see; to them the rest does not exist. Throws problems. */
export function createReadRecording ({ recordings, store }: { recordings: Recordings, store: RecordingStore }) {
  async function find (recordingId: string, scope: Scope): Promise<Recording> {
    return present(await recordings.find(recordingId, scope))
  }

  return {
    async view (recordingId: string, scope: Scope): Promise<RecordingView> {
      return toView(await find(recordingId, scope))
    },
    async list (scope: Scope, query: RecordingQuery): Promise<Page<RecordingView>> {
      const { items, nextCursor } = await recordings.list(scope, query)
      return { items: items.map(toView), nextCursor }
    },
    async timeline (recordingId: string, scope: Scope): Promise<Timeline> {
      const recording = await find(recordingId, scope)
      return await readTimeline(store, { recordingId: recording.recordingId, generation: finishedGeneration(recording) })
    },
  }
}

/** Throws `recording-not-found`, or `recording-deleted` to whoever could have seen it. */
export function present (recording: Recording | null): Recording {
  if (recording === null) throw problem('recording-not-found')
  if (recording.deletedAt !== null) throw problem('recording-deleted', `it was deleted at ${recording.deletedAt.toISOString()}`)
  return recording
}

/** The generation to read from; throws while there is nothing to be read. */
export function finishedGeneration (recording: Recording): number {
  if (recording.status === 'failed') throw problem('recording-not-found', 'this recording could not be assembled')
  if (linksOf(recording).timeline === null || recording.storedGeneration === null) throw problem('not-ready', `the recording is ${recording.status}`, { retryAfterSeconds: 1 })
  if (recording.purge !== null) throw problem('not-ready', 'something is being cut out of the recording', { retryAfterSeconds: 1 })
  return recording.storedGeneration
}
