import { problem } from '@tacet/contracts'
import { pause } from '@tacet/service-kit'
import { encodeJob, fileOfFormat } from '../domain/formats.ts'
import type { DerivedFiles, Encoder, FormatFiles } from './file-ports.ts'

export interface FormatFilesDependencies {
  files: DerivedFiles
  encoder: Pick<Encoder, 'check'>
  now: () => number
  /** How long somebody who asks is kept waiting: a call of some minutes is encoded by then. */
  patienceMs?: number
}

const LOOK_MS = 100

/** Other formats, made when they are first asked for. Throws `not-ready` with how far it is, or why there will be nothing. */
export function createFormatFiles ({ files, encoder, now, patienceMs = 2_000 }: FormatFilesDependencies): FormatFiles {
  return {
    async find (recording, format) {
      const file = fileOfFormat(format)
      const deadlineMs = now() + patienceMs
      for (let looks = 0; ; looks++) {
        const found = await files.find(recording, file)
        if (found !== null) return found
        if (looks === 0) await requireEncoder(encoder)
        const { state, progress, lastError } = await files.request(recording.recordingId, encodeJob(format))
        if (state === 'parked') throw problem('encoding-failed', lastError ?? `${format} could not be made`)
        if (now() >= deadlineMs) throw problem('not-ready', `${format} is being made${progress === null ? '' : `: ${Math.round(progress * 100)} %`}`, { retryAfterSeconds: 2 })
        await pause(LOOK_MS)
      }
    },
  }
}

async function requireEncoder (encoder: Pick<Encoder, 'check'>): Promise<void> {
  const { isOk, detail } = await encoder.check()
  if (!isOk) throw problem('encoder-missing', detail)
}
