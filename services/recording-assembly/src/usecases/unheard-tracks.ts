import type { TrackName } from '@tacet/contracts'
import { hasSound } from '@tacet/audio'
import type { JudgedSegment } from '../domain/segment.ts'
import { DependencyUnavailable } from './errors.ts'

/** The sides of the call of which no segment has any sound. Mostly the first block of the first file tells. */
export async function unheardTracks (segments: readonly JudgedSegment[], signal: AbortSignal): Promise<TrackName[]> {
  const [present, heard] = [new Set<TrackName>(), new Set<TrackName>()]
  for (const { file: { track, name }, audio } of segments.flatMap(({ tracks }) => tracks)) {
    if (audio === null || heard.has(track)) continue
    present.add(track)
    const isHeard = await hasSound(audio.path, audio.wav, signal).catch(cause => {
      signal.throwIfAborted()
      throw new DependencyUnavailable('segments', `${name} can't be read`, cause)
    })
    if (isHeard) heard.add(track)
  }
  return [...present].filter(track => !heard.has(track))
}
