import { StitchError, stitch, type StitchOptions, type Stitched } from '@tacet/audio'
import { part } from '../domain/progress.ts'
import { masterFile } from '../domain/recording.ts'
import { AssemblyImpossible, DependencyUnavailable } from './errors.ts'
import type { Lease, RecordingStore, StoredFile } from './ports.ts'

/** Stitches the audio of a generation into the store. */
export async function putMaster (store: RecordingStore, { recordingId, generation }: Omit<StoredFile, 'file'>, audio: Required<Pick<StitchOptions, 'segments' | 'layout'>>, { signal, confirm, tell }: Lease): Promise<Stitched> {
  const tellStitched = part(tell, 0.3, 0.6)
  const { result: stitched, bytes, sha256 } = await store.put({ recordingId, generation, file: masterFile }, async (output, _path, onWritten) => await stitch({
    ...audio,
    output,
    isReadBack: true,
    signal,
    onProgress (progress, bytes) {
      tellStitched(progress)
      onWritten(bytes)
    },
  }).catch(toKnownError), { signal, confirm, onProgress: part(tell, 0.6, 1), readBack: ({ fileBytes, sha256 }) => ({ bytes: fileBytes, sha256 }) })
  if (bytes !== stitched.fileBytes || sha256 !== stitched.sha256) throw new DependencyUnavailable('store', `${bytes} bytes stored, not the ${stitched.fileBytes} that were written`)
  return stitched
}

function toKnownError (error: unknown): never {
  if (!(error instanceof StitchError)) throw error
  if (error.code === 'segment-unreadable') throw new DependencyUnavailable('segments', error.message, error)
  if (error.code === 'output-differs') throw new DependencyUnavailable('store', error.message, error)
  throw new AssemblyImpossible(error.code, error.message)
}
