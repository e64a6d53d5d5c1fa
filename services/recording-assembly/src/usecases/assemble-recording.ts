import type { Manifest } from '@tacet/contracts'
import type { Logger } from '@tacet/service-kit'
import { arrange, type Arrangement } from '../domain/arrangement.ts'
import type { Recording } from '../domain/recording.ts'
import { judgeRecording, keptOf, type Verdict } from '../domain/outcome.ts'
import { planAssembly } from '../domain/plan.ts'
import { part } from '../domain/progress.ts'
import type { JudgedSegment } from '../domain/segment.ts'
import { buildTimeline, type WrittenAudio } from '../domain/timeline.ts'
import { AssemblyImpossible } from './errors.ts'
import type { Encoder } from './file-ports.ts'
import { inParallel } from './in-parallel.ts'
import { inspectSegment } from './inspect-segment.ts'
import { putMaster } from './master-file.ts'
import { raiseForSegment } from './raise-for-segment.ts'
import { putTimeline } from './timeline-file.ts'
import { unheardTracks } from './unheard-tracks.ts'
import type { Alarms, AssembledRecording, Copies, Lease, RecordingStore, Recordings, SegmentSource, WorkDirs } from './ports.ts'

type Attempt = Pick<Recording, 'recordingId' | 'generation' | 'manifest'>

export interface AssembleDependencies {
  recordings: Recordings
  source: SegmentSource
  store: RecordingStore
  workDirs: WorkDirs
  copies: Copies
  encoder: Pick<Encoder, 'resample'>
  alarms: Alarms
  logger: Logger
  now: () => number
  settleMs: number
  onAssembled: (assembled: { outcome: string, tookMs: number, sinceEndMs: number }) => void
}

/** Asterisk's HTTP server likes few connections. */
const PARALLEL_SEGMENTS = 4

/**
 * Makes the recording of one call. Every step may be repeated: files are replaced whole, and what others see changes in one
 * transaction that holds only while the job is ours. Until then nothing is deleted from the PBX.
 */
export function createAssembleRecording (dependencies: AssembleDependencies) {
  const { recordings, source, store, workDirs, copies, encoder, alarms, logger, now, settleMs, onAssembled } = dependencies

  async function inspectAll (manifest: Manifest, workDir: string, { signal, tell }: Lease): Promise<{ verdict: Verdict, segments: JudgedSegment[], arrangement: Arrangement }> {
    const plan = planAssembly(manifest)
    if (plan.kind === 'unsupported') throw new AssemblyImpossible('unsupported', plan.detail)
    const copyOf = await copies.open(manifest.recordingId)
    let inspected = 0
    const segments = await inParallel(plan.segments, PARALLEL_SEGMENTS, async segment => {
      const judged = await inspectSegment(segment, { source, copyOf, encoder, workDir, sampleRateHz: plan.sampleRateHz, signal, settleMs, now })
      part(tell, 0, 0.3)(++inspected / plan.segments.length)
      return judged
    })
    const verdict = judgeRecording(manifest, segments, await unheardTracks(segments, signal))
    const kept = keptOf(verdict, segments)
    return { verdict, segments: kept, arrangement: arrange(manifest, plan.channels, kept) }
  }

  /** Null: there is nothing to hear, so there is no file. */
  async function writeAudio (attempt: Attempt, { layout, segments }: Arrangement, lease: Lease): Promise<WrittenAudio | null> {
    if (layout.samples === 0) return null
    const { samples, fileBytes, sha256 } = await putMaster(store, attempt, { segments, layout }, lease)
    return { samples, bytes: fileBytes, sha256 }
  }

  /** What was called out while the call went on is so once more: now it is certain. Before it is committed, as twice is better than never. */
  function callOut ({ recordingId, callId }: Manifest, { segments, verdict: { outcome, reasons }, timeline: { samples } }: AssembledRecording & { segments: JudgedSegment[] }): void {
    for (const judged of segments) raiseForSegment(alarms, { callId, recordingId }, judged)
    if (outcome === 'incomplete') alarms.raise('recording-incomplete', { callId, recordingId, reasons, samples }, 'something of the recording is missing')
  }

  /** All that is to be on the disk, and no more: copies of segments are gone when it returns. */
  async function make (attempt: Attempt, lease: Lease): Promise<AssembledRecording & { segments: JudgedSegment[] }> {
    const { recordingId, generation, manifest } = attempt
    await store.prepare(recordingId, generation)
    const workDir = await workDirs.create({ recordingId, generation })
    try {
      const { verdict, segments, arrangement } = await inspectAll(manifest, workDir, lease)
      const timeline = buildTimeline(manifest, verdict, segments, arrangement, await writeAudio(attempt, arrangement, lease))
      await putTimeline(store, attempt, timeline, lease)
      await copies.remove(recordingId)
      return { verdict, timeline, segments, expendable: segments.flatMap(({ tracks }) => tracks).filter(track => track.isExpendable).map(({ file }) => file) }
    } finally {
      await workDirs.remove(workDir)
    }
  }

  return async (lease: Lease): Promise<void> => {
    const startedMs = now()
    const recording = await recordings.begin(lease.job)
    if (recording === null || recording.status !== 'assembling') return await recordings.finish(lease.job)

    const { manifest, recordingId } = recording
    const { segments, ...assembled } = await make(recording, lease)
    callOut(manifest, { ...assembled, segments })
    await recordings.complete(lease.job, assembled)
    const { outcome, reasons } = assembled.verdict
    logger.info({ callId: manifest.callId, recordingId, outcome, reasons, samples: assembled.timeline.samples }, 'recording assembled')
    onAssembled({ outcome, tookMs: now() - startedMs, sinceEndMs: now() - Date.parse(manifest.endedAt) })
  }
}
