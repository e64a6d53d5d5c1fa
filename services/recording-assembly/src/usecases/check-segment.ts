import type { Segment } from '@tacet/contracts'
import { isOfCall } from '../domain/plan.ts'
import type { JudgedSegment } from '../domain/segment.ts'
import { inspectSegment } from './inspect-segment.ts'
import type { Alarms, Copies, FetchedFile, Lease, Recordings, SegmentSource } from './ports.ts'
import { raiseForSegment } from './raise-for-segment.ts'

export interface CheckDependencies {
  recordings: Pick<Recordings, 'finish'>
  copies: Copies
  source: SegmentSource
  alarms: Alarms
  /** Whether the source copies files; those that are as they should be are kept. */
  isCopied: boolean
  now: () => number
  settleMs: number
  onChecked: () => void
}

/**
 * Looks at a closed segment while its call goes on: what is wrong with it is called out while somebody may still do something
 * about it, and what had to be copied need not be copied at the end. Nothing is decided here: the assembly looks for itself.
 */
export function createCheckSegment ({ recordings, copies, source, alarms, isCopied, now, settleMs, onChecked }: CheckDependencies) {
  async function judge (callId: string, segment: Segment, workDir: string, { signal }: Lease): Promise<JudgedSegment> {
    const tracks = segment.tracks.map(file => ({ file, isForeign: !isOfCall([callId], segment, file) }))
    return await inspectSegment({ segment, tracks }, { source, copyOf: async () => null, encoder: null, workDir, sampleRateHz: segment.tracks[0]!.sampleRateHz, signal, settleMs, now })
  }

  return async (lease: Lease): Promise<void> => {
    const { job } = lease
    const { recordingId, payload: { segment, callId = recordingId } } = job
    if (segment === undefined || !await copies.isWanted(recordingId)) return await recordings.finish(job)
    const judged = await judge(callId, segment, isCopied ? await copies.create(recordingId, segment.number) : '', lease)
    onChecked()
    raiseForSegment(alarms, { callId, recordingId }, judged)
    if (!isCopied) return await recordings.finish(job)
    const files = judged.tracks.flatMap(({ file, audio, reasons }): FetchedFile[] => audio === null || reasons.length > 0 ? [] : [{ name: file.name, path: audio.path }])
    if (files.length > 0 && await copies.keep(job, files)) return
    await copies.remove(recordingId, segment.number)
    await recordings.finish(job)
  }
}
