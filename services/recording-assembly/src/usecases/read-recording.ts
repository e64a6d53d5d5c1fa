import type { Readable } from 'node:stream'
import { problem, type RecordingView, type Timeline } from '@tacet/contracts'
import type { Scope } from '../domain/access.ts'
import { linksOf, toView, type Recording } from '../domain/recording.ts'
import type { RecordingStore, Recordings } from './ports.ts'

export interface Audio {
  bytes: number
  sha256: string
  /** Both ends included. */
  read (range: { start: number, end: number }): Promise<Readable>
}

export type ReadRecording = ReturnType<typeof createReadRecording>

/** What the callers of `scope` may see; to them the rest does not exist. Throws problems. */
export function createReadRecording ({ recordings, store }: { recordings: Recordings, store: RecordingStore }) {
  async function find (recordingId: string, scope: Scope): Promise<Recording> {
    const recording = await recordings.find(recordingId, scope)
    if (recording === null) throw problem('recording-not-found')
    return recording
  }

  function requireFinished (recording: Recording): void {
    if (recording.status === 'failed') throw problem('recording-not-found', 'this recording could not be assembled')
    if (linksOf(recording).timeline === null) throw problem('not-ready', `the recording is ${recording.status}`, { retryAfterSeconds: 1 })
  }

  return {
    async view (recordingId: string, scope: Scope): Promise<RecordingView> {
      return toView(await find(recordingId, scope))
    },
    async list (scope: Scope, limit: number): Promise<RecordingView[]> {
      return (await recordings.list(scope, limit)).map(toView)
    },
    async audio (recordingId: string, scope: Scope): Promise<Audio> {
      const recording = await find(recordingId, scope)
      requireFinished(recording)
      const { bytes, sha256 } = recording
      if (bytes === null || sha256 === null) throw problem('recording-not-found', 'there is no audio in this recording')
      return { bytes, sha256, read: range => store.readAudio(recording.recordingId, range) }
    },
    async timeline (recordingId: string, scope: Scope): Promise<Timeline> {
      const recording = await find(recordingId, scope)
      requireFinished(recording)
      return await store.readTimeline(recording.recordingId)
    },
  }
}
