import { createWriteStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createAriRest, isAriError, type AriRestOptions } from '@tacet/ari'
import type { TrackFile } from '@tacet/contracts'
import { DependencyUnavailable, isSystemError } from '../usecases/errors.ts'
import type { SegmentSource } from '../usecases/ports.ts'

/** Opening a file in a busy spool takes longer than asking for a channel. */
const OPEN_DEADLINE_MS = 10_000

/** Segments as stored recordings of ARI; they are copied. */
export function createAriSegmentSource (options: AriRestOptions): SegmentSource {
  const ari = createAriRest(options)

  /** Null when Asterisk says that it has no such recording. */
  async function open (file: TrackFile, signal: AbortSignal) {
    try {
      return await ari.storedRecordingFile(file.name, { deadlineMs: OPEN_DEADLINE_MS, signal })
    } catch (error) {
      if (isAriError(error, 'not-found')) return null
      throw unavailable(`${file.name} can't be fetched`, error)
    }
  }

  return {
    async fetch (file, workDir, signal) {
      const answer = await open(file, signal)
      if (answer === null) return null
      const path = join(workDir, `${basename(file.name)}.${file.format}`)
      let size: number
      try {
        await pipeline(answer.stream, createWriteStream(path), { signal })
        size = (await stat(path)).size
      } catch (error) {
        signal.throwIfAborted()
        if (isSystemError(error) && (error.code === 'ENOSPC' || error.code === 'EDQUOT')) throw new DependencyUnavailable('store', `no room for ${file.name}: ${error.message}`, error)
        throw unavailable(`${file.name} did not arrive`, error)
      }
      // A torn connection must not pass for a short file.
      if (answer.sizeBytes !== undefined && size !== answer.sizeBytes) throw unavailable(`${size} of ${answer.sizeBytes} bytes of ${file.name} arrived`)
      return path
    },
    async remove (file, signal) {
      await ari.deleteStoredRecording(file.name, { deadlineMs: OPEN_DEADLINE_MS, signal }).catch(error => { throw unavailable(`${file.name} can't be deleted`, error) })
    },
    async check () {
      await ari.probe()
      return { isOk: true, kind: 'ari' }
    },
    close: () => ari.close(),
  }
}

const unavailable = (message: string, cause?: unknown) => new DependencyUnavailable('segments', message, cause)
