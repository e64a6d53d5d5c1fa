import { StitchError, stitch } from '@tacet/audio'
import type { Manifest } from '@tacet/contracts'
import type { Logger } from '@tacet/service-kit'
import { arrange, type Arrangement } from '../domain/arrangement.ts'
import { masterFile, type Recording } from '../domain/recording.ts'
import { judgeRecording, keptOf, type Verdict } from '../domain/outcome.ts'
import { planAssembly } from '../domain/plan.ts'
import { isLong, type JudgedSegment } from '../domain/segment.ts'
import { buildTimeline, type WrittenAudio } from '../domain/timeline.ts'
import { AssemblyImpossible, DependencyUnavailable } from './errors.ts'
import type { Encoder } from './file-ports.ts'
import { inParallel } from './in-parallel.ts'
import { inspectSegment } from './inspect-segment.ts'
import { putTimeline } from './timeline-file.ts'
import type { AssembledRecording, Copies, Lease, RecordingStore, Recordings, SegmentSource, WorkDirs } from './ports.ts'

type Attempt = Pick<Recording, 'recordingId' | 'generation' | 'manifest'>

export interface AssembleDependencies {
  recordings: Recordings
  source: SegmentSource
  store: RecordingStore
  workDirs: WorkDirs
  copies: Copies
  encoder: Pick<Encoder, 'resample'>
  logger: Logger
  now: () => number
  settleMs: number
  onAssembled: (assembled: { outcome: string, tookMs: number, sinceEndMs: number }) => void
  /** A segment has more audio than it was open: something of a pause may have got into it. */
  onLongSegment: () => void
}

/** Asterisk's HTTP server likes few connections. */
const PARALLEL_SEGMENTS = 4

/**
 * Makes the recording of one call. Every step may be repeated: files are replaced whole, and what others see changes in one
 * transaction that holds only while the job is ours. Until then nothing is deleted from the PBX.
 */
export function createAssembleRecording (dependencies: AssembleDependencies) {
  const { recordings, source, store, workDirs, copies, encoder, logger, now, settleMs, onAssembled, onLongSegment } = dependencies

  async function inspectAll (manifest: Manifest, workDir: string, { signal, tell }: Lease): Promise<{ verdict: Verdict, segments: JudgedSegment[], arrangement: Arrangement }> {
    const plan = planAssembly(manifest)
    if (plan.kind === 'unsupported') throw new AssemblyImpossible('unsupported', plan.detail)
    const copyOf = await copies.open(manifest.recordingId)
    let inspected = 0
    const segments = await inParallel(plan.segments, PARALLEL_SEGMENTS, async segment => {
      const judged = await inspectSegment(segment, { source, copyOf, encoder, workDir, sampleRateHz: plan.sampleRateHz, signal, settleMs, now })
      // What is left then takes no time to speak of.
      tell(++inspected / (plan.segments.length + 1))
      return judged
    })
    const verdict = judgeRecording(manifest, segments)
    const kept = keptOf(verdict, segments)
    return { verdict, segments: kept, arrangement: arrange(manifest, plan.channels, kept) }
  }

  /** Null: there is nothing to hear, so there is no file. */
  async function writeAudio ({ recordingId, generation }: Attempt, { layout, segments }: Arrangement, lease: Lease): Promise<WrittenAudio | null> {
    if (layout.samples === 0) return null
    const { result: stitched, bytes, sha256 } = await store.put({ recordingId, generation, file: masterFile },
      async output => await stitch({ segments, layout, output, signal: lease.signal }).catch(toKnownError),
      lease)
    if (bytes !== stitched.fileBytes || sha256 !== stitched.sha256) throw new DependencyUnavailable('store', `${bytes} bytes stored, not the ${stitched.fileBytes} that were written`)
    return { samples: stitched.samples, bytes, sha256 }
  }

  function report (manifest: Manifest, segments: JudgedSegment[]): void {
    for (const { segment, tracks } of segments) {
      for (const { file, reasons } of tracks.filter(isLong)) {
        onLongSegment()
        logger.error({ recordingId: manifest.recordingId, segment: segment.number, file: file.name, reasons }, 'segment is longer than it was open: audio of a pause may be in it')
      }
    }
  }

  /** All that is to be on the disk, and no more: copies of segments are gone when it returns. */
  async function make (attempt: Attempt, lease: Lease): Promise<AssembledRecording & { segments: JudgedSegment[] }> {
    const { recordingId, generation, manifest } = attempt
    await store.prepare(recordingId, generation)
    const workDir = await workDirs.create(recordingId)
    try {
      const { verdict, segments, arrangement } = await inspectAll(manifest, workDir, lease)
      const timeline = buildTimeline(manifest, verdict, segments, arrangement, await writeAudio(attempt, arrangement, lease))
      await putTimeline(store, attempt, timeline, lease)
      await copies.remove(recordingId)
      return { verdict, timeline, segments, expendable: segments.flatMap(({ tracks }) => tracks).filter(track => track.isExpendable).map(({ file }) => file) }
    } finally {
      await workDirs.remove(recordingId)
    }
  }

  return async (lease: Lease): Promise<void> => {
    const startedMs = now()
    const recording = await recordings.begin(lease.job)
    if (recording === null || recording.status !== 'assembling') return await recordings.finish(lease.job)

    const { manifest, recordingId } = recording
    const { segments, ...assembled } = await make(recording, lease)
    await recordings.complete(lease.job, assembled)
    report(manifest, segments)
    const { outcome, reasons } = assembled.verdict
    const facts = { recordingId, outcome, reasons, samples: assembled.timeline.samples }
    // Somebody should know why before the call is asked for.
    if (outcome === 'incomplete') logger.error(facts, 'recording assembled, but something is missing')
    else logger.info(facts, 'recording assembled')
    onAssembled({ outcome, tookMs: now() - startedMs, sinceEndMs: now() - Date.parse(manifest.endedAt) })
  }
}

function toKnownError (error: unknown): never {
  if (!(error instanceof StitchError)) throw error
  if (error.code === 'segment-unreadable') throw new DependencyUnavailable('segments', error.message, error)
  throw new AssemblyImpossible(error.code, error.message)
}
