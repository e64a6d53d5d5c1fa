import { createHash } from 'node:crypto'
import type { Vcon } from '@tacet/contracts'
import type { Scope } from '../domain/access.ts'
import { masterFile, type Recording } from '../domain/recording.ts'
import { toVcon } from '../domain/vcon.ts'
import type { RecordingStore, Recordings } from './ports.ts'
import { finishedGeneration, present } from './read-recording.ts'
import { readTimeline } from './timeline-file.ts'

export type ExportVcon = ReturnType<typeof createExportVcon>

/** A recording as a vCon. The audio is named, not enclosed: whoever wants it asks for it, and is then in the audit log. */
export function createExportVcon ({ recordings, store }: { recordings: Pick<Recordings, 'find' | 'noteSha512'>, store: Pick<RecordingStore, 'read'> }) {
  const underWay = new Map<string, Promise<string>>()

  async function hash (recording: Recording, generation: number): Promise<string> {
    const sha512 = await sha512Of(await store.read({ recordingId: recording.recordingId, generation, file: masterFile }))
    await recordings.noteSha512(recording, sha512)
    return sha512
  }

  /** A recording may have a gigabyte: it is read for this once, whoever asks meanwhile waits. */
  async function hashOnce (recording: Recording): Promise<string> {
    if (recording.sha512 !== null) return recording.sha512
    const generation = finishedGeneration(recording)
    const key = `${recording.recordingId}/${generation}`
    const hashed = underWay.get(key) ?? hash(recording, generation).finally(() => underWay.delete(key))
    underWay.set(key, hashed)
    return await hashed
  }

  return async (recordingId: string, scope: Scope, publicUrl: string): Promise<Vcon> => {
    const recording = present(await recordings.find(recordingId, scope))
    const name = { recordingId: recording.recordingId, generation: finishedGeneration(recording) }
    const timeline = await readTimeline(store, name)
    const audio = recording.sha256 === null
      ? null
      : { url: `${publicUrl}/v1/recordings/${recording.recordingId}/audio`, sha512: await hashOnce(recording) }
    return toVcon({ manifest: recording.manifest, timeline, version: recording.version, audio })
  }
}

/** The draft asks for SHA-512; ours is SHA-256. */
async function sha512Of (stream: AsyncIterable<Buffer>): Promise<string> {
  const hash = createHash('sha512')
  for await (const chunk of stream) hash.update(chunk)
  return hash.digest('base64url')
}
