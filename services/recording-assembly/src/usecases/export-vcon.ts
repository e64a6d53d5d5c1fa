import { problem, type Vcon } from '@tacet/contracts'
import type { Scope } from '../domain/access.ts'
import { measureJob } from '../domain/formats.ts'
import type { Recording } from '../domain/recording.ts'
import { toVcon } from '../domain/vcon.ts'
import type { DerivedFiles } from './file-ports.ts'
import { madeByJob } from './made-by-job.ts'
import type { RecordingStore, Recordings } from './ports.ts'
import { finishedGeneration, present } from './read-recording.ts'
import { readTimeline } from './timeline-file.ts'

export interface VconDependencies {
  recordings: Pick<Recordings, 'find'>
  store: Pick<RecordingStore, 'read'>
  files: Pick<DerivedFiles, 'request'>
  now: () => number
  patienceMs?: number
}

export type ExportVcon = ReturnType<typeof createExportVcon>

/** A recording as a vCon. The audio is named, not enclosed: whoever wants it asks for it, and is then in the audit log. */
export function createExportVcon ({ recordings, store, files, ...patience }: VconDependencies) {
  const hashOf = async ({ recordingId, version }: Recording, scope: Scope): Promise<string> => await madeByJob({
    async look () {
      const now = present(await recordings.find(recordingId, scope))
      finishedGeneration(now)
      if (now.version !== version) throw problem('not-ready', 'the recording has just changed', { retryAfterSeconds: 1 })
      return now.sha512
    },
    request: () => files.request(recordingId, measureJob),
    what: 'the hash of the audio',
    failure: 'measuring-failed',
    ...patience,
  })

  return async (recordingId: string, scope: Scope, publicUrl: string): Promise<Vcon> => {
    const recording = present(await recordings.find(recordingId, scope))
    const name = { recordingId: recording.recordingId, generation: finishedGeneration(recording) }
    const timeline = await readTimeline(store, name)
    const audio = recording.sha256 === null
      ? null
      : { url: `${publicUrl}/v1/recordings/${recording.recordingId}/audio`, sha512: recording.sha512 ?? await hashOf(recording, scope) }
    return toVcon({ manifest: recording.manifest, timeline, audio })
  }
}
