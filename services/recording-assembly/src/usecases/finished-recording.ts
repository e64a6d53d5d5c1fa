import type { Recording } from '../domain/recording.ts'
import { NotYet } from './errors.ts'
import type { Job, Recordings } from './ports.ts'

/** For what makes something of its audio; null when there is none, or none any more. */
export async function finishedRecording (recordings: Pick<Recordings, 'find'>, { recordingId }: Job): Promise<Recording & { storedGeneration: number } | null> {
  const recording = await recordings.find(recordingId, { kind: 'all' })
  if (recording === null || recording.deletedAt !== null || recording.storedGeneration === null || recording.sha256 === null) return null
  if (recording.purge !== null) throw new NotYet('something is being cut out of the recording')
  return { ...recording, storedGeneration: recording.storedGeneration }
}
