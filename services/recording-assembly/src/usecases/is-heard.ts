import { hasSound } from '@tacet/audio'
import type { JudgedSegment } from '../domain/segment.ts'
import { DependencyUnavailable } from './errors.ts'

/** Whether there is any sound in any of the segments. Mostly the first block of the first file tells. */
export async function isHeard (segments: readonly JudgedSegment[], signal: AbortSignal): Promise<boolean> {
  for (const { file, audio } of segments.flatMap(({ tracks }) => tracks)) {
    if (audio === null) continue
    const found = await hasSound(audio.path, audio.wav, signal).catch(cause => {
      signal.throwIfAborted()
      throw new DependencyUnavailable('segments', `${file.name} can't be read`, cause)
    })
    if (found) return true
  }
  return false
}
