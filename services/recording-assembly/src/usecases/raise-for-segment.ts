import { reasonsOf, type JudgedSegment } from '../domain/segment.ts'
import type { Alarms } from './ports.ts'

/** One alarm for each thing that is wrong with a segment, whichever and however many of its tracks have it. */
export function raiseForSegment (alarms: Alarms, of: { callId: string, recordingId: string }, judged: JudgedSegment): void {
  const details = Map.groupBy(reasonsOf(judged), ({ code }) => code)
  for (const [code, reasons] of details) {
    const files = judged.tracks.filter(track => track.reasons.some(reason => reason.code === code)).map(({ file }) => file.name)
    alarms.raise(code, { ...of, segment: judged.segment.number, files, detail: reasons.map(({ detail }) => detail).join('; ') }, saying[code] ?? 'a segment is not as it should be')
  }
}

const saying: Record<string, string> = {
  'segment-long': 'segment is longer than it was open: audio of a pause may be in it',
}
