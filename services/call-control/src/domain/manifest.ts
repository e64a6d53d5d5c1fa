import type { CallAgent, EndReason, Gap, Manifest, Segment, TrackFile } from '@tacet/contracts'
import { finishedRecordingSettingsOf } from '@tacet/policy'
import { recorderId, type Call } from './call.ts'
import type { ClosedSegment, OpenGap } from './recording.ts'

const isoTime = (epochMs: number): string => new Date(epochMs).toISOString()
const isoOrNull = (epochMs: number | null): string | null => epochMs === null ? null : isoTime(epochMs)

/** Where Asterisk keeps the files of a segment; `name` is the ARI stored recording. Several are told apart by when each began. */
export const tracksOf = (call: Call, segment: number, openedAtMs: number[] = []): TrackFile[] => call.tracks.map((track, index) => ({
  track,
  name: `tacet/${recorderId(call, segment, track)}`,
  format: call.sampleRateHz === 16000 ? 'wav16' : 'wav',
  sampleRateHz: call.sampleRateHz,
  ...(call.tracks.length > 1 && openedAtMs[index] !== undefined ? { startedAt: isoTime(openedAtMs[index]) } : {}),
}))

export const segmentOf = (call: Call, { number, requestedAtMs, openedAtMs, tracksOpenedAtMs, closedAtMs, closedBy, proof, isUncertain }: ClosedSegment): Segment => ({
  number, tracks: tracksOf(call, number, tracksOpenedAtMs), requestedAt: isoTime(requestedAtMs), openedAt: isoTime(openedAtMs), closedAt: isoTime(closedAtMs), closedBy, proof, isUncertain,
})

const gapOf = ({ startedAtMs, endedAtMs, reasons, by }: OpenGap, endMs: number): Gap =>
  ({ startedAt: isoTime(startedAtMs), endedAt: isoTime(endedAtMs ?? endMs), reasons, by })

/** Everything assembly needs; carried whole by `recording.ended`. */
export function manifestOf (call: Call, endedAtMs: number, endReason: EndReason): Manifest {
  return {
    recordingId: call.callId,
    callId: call.callId,
    aliases: call.aliases,
    companyId: call.companyId,
    ...(call.companyName !== undefined && { companyName: call.companyName }),
    pbxId: call.pbxId,
    direction: call.direction,
    number: call.number,
    customer: call.customer,
    agents: call.participants.filter(({ joinedAtMs }) => joinedAtMs !== null).map(({ agentId, endpoint, joinedAtMs, leftAtMs, name }): CallAgent =>
      ({ agentId, ...(name !== undefined && { name }), endpoint, joinedAt: isoOrNull(joinedAtMs), leftAt: isoOrNull(leftAtMs) })),
    startedAt: isoTime(call.startedAtMs),
    answeredAt: isoTime(call.answeredAtMs ?? call.startedAtMs),
    endedAt: isoTime(endedAtMs),
    endReason,
    sampleRateHz: call.sampleRateHz,
    segments: call.recording.segments.map(segment => segmentOf(call, segment)),
    gaps: call.recording.gaps.map(gap => gapOf(gap, endedAtMs)),
    faults: call.recording.faults,
    settings: finishedRecordingSettingsOf(call.rules),
  }
}
