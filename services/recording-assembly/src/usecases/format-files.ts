import { problem } from '@tacet/contracts'
import { encodeJob, fileOfFormat } from '../domain/formats.ts'
import type { DerivedFiles, Encoder, FormatFiles } from './file-ports.ts'
import { madeByJob } from './made-by-job.ts'

export interface FormatFilesDependencies {
  files: DerivedFiles
  encoder: Pick<Encoder, 'check'>
  now: () => number
  patienceMs?: number
}

/** Other formats, made when they are first asked for. */
export function createFormatFiles ({ files, encoder, ...patience }: FormatFilesDependencies): FormatFiles {
  return {
    find: async (recording, format) => await madeByJob({
      look: () => files.find(recording, fileOfFormat(format)),
      prepare: () => requireEncoder(encoder),
      request: () => files.request(recording.recordingId, encodeJob(format)),
      what: format,
      failure: 'encoding-failed',
      ...patience,
    }),
  }
}

async function requireEncoder (encoder: Pick<Encoder, 'check'>): Promise<void> {
  const { isOk, detail } = await encoder.check()
  if (!isOk) throw problem('encoder-missing', detail)
}
