import { availableParallelism } from 'node:os'
import type { Database, Logger, Metrics } from '@tacet/service-kit'
import { createAheadCopies } from './adapters/ahead-copies.ts'
import { createAriSegmentSource } from './adapters/ari-segment-source.ts'
import { createFfmpeg } from './adapters/ffmpeg.ts'
import { createEncryptedRecordingStore } from './adapters/encrypted-recording-store.ts'
import { createFolderRecordingStore } from './adapters/folder-recording-store.ts'
import { createFolderSegmentSource } from './adapters/folder-segment-source.ts'
import { createDerivedFiles } from './adapters/postgres-derived-files.ts'
import { createJobQueue } from './adapters/postgres-jobs.ts'
import { createPostgresRecordings } from './adapters/postgres-recordings.ts'
import { createDataKeys, type DataKeys } from './adapters/postgres-data-keys.ts'
import { createS3RecordingStore } from './adapters/s3-recording-store.ts'
import { createWorkDirs } from './adapters/work-dirs.ts'
import { s3Of, segmentAccessOf, type AssemblyConfig } from './config.ts'
import { createAlarms } from './alarms.ts'
import type { Marks } from './crash-points.ts'
import { createWorker, type Worker, type WorkerTiming } from './intake/worker.ts'
import { createAssemblyMetrics } from './metrics.ts'
import { createAssembleRecording } from './usecases/assemble-recording.ts'
import { createCheckSegment } from './usecases/check-segment.ts'
import { createPurgeRecording } from './usecases/purge-recording.ts'
import { createDeleteSegments } from './usecases/delete-segments.ts'
import { createEncodeRecording } from './usecases/encode-recording.ts'
import { createEraseFiles } from './usecases/erase-files.ts'
import { createMeasureRecording } from './usecases/measure-recording.ts'
import type { DerivedFiles, Encoder } from './usecases/file-ports.ts'
import type { Copies, JobQueue, RecordingStore, Recordings, SegmentSource, WorkDirs } from './usecases/ports.ts'
import { createWorkOnJob } from './usecases/work-on-job.ts'

/** Everything outside that assembling touches. */
export interface Ports {
  recordings: Recordings
  queue: JobQueue
  source: SegmentSource
  store: RecordingStore
  keys: DataKeys
  workDirs: WorkDirs
  copies: Copies
  files: DerivedFiles
  encoder: Encoder
}

export interface PortsOptions {
  config: AssemblyConfig
  database: Database
  onEvents: () => void
  onJob: () => void
}

/** An upload that outlives its attempt makes an object that nothing points to; no request takes so long. */
const LATE_ERASURE_MS = 15 * 60_000

export function createPorts ({ config, database, onEvents, onJob }: PortsOptions): Ports {
  const { recordingsDir, leaseMs, measureAfterMs, publicUrl } = config
  const access = segmentAccessOf(config)
  const s3 = s3Of(config)
  const keys = createDataKeys({ database, masterKeys: config.encryptionKeys })
  return {
    recordings: createPostgresRecordings({ database, now: () => new Date(), onEvents, onJob, lateErasureMs: s3 === undefined ? null : LATE_ERASURE_MS, measureAfterMs, publicUrl }),
    queue: createJobQueue({ database, leaseMs }),
    source: access.kind === 'folder' ? createFolderSegmentSource(access) : createAriSegmentSource(access),
    store: createEncryptedRecordingStore({ store: s3 === undefined ? createFolderRecordingStore({ recordingsDir }) : createS3RecordingStore(s3), keys, recordingsDir }),
    keys,
    workDirs: createWorkDirs({ recordingsDir }),
    copies: createAheadCopies({ database, recordingsDir }),
    files: createDerivedFiles({ database, onJob }),
    encoder: createFfmpeg({ path: config.ffmpeg }),
  }
}

const MAX_ATTEMPTS = 8
const RETRY_DELAYS = { firstMs: 500, maxMs: 60_000 }
/** Asterisk closes the file of a leg that hung up within 20 ms; a loaded or distant one gets some more. */
const SETTLE_MS = 1_500

export interface AssemblyWorkerOptions {
  config: AssemblyConfig
  logger: Logger
  metrics: Metrics
  timing?: WorkerTiming
  marks?: Marks
}

/** The worker with everything that it does. */
export function createAssemblyWorker ({ recordings, queue, source, store, keys, workDirs, copies, files, encoder }: Ports, { config, logger, metrics, timing, marks }: AssemblyWorkerOptions): Worker {
  const alarms = createAlarms({ logger, metrics })
  const clock = { now: Date.now, settleMs: SETTLE_MS }
  const assembleRecording = createAssembleRecording({
    recordings, source, store, workDirs, copies, encoder, alarms, logger, ...clock, ...createAssemblyMetrics(metrics, queue, keys),
  })
  const marked = marks?.handlers ?? (handlers => handlers)
  const workOnJob = createWorkOnJob({
    queue,
    recordings,
    handlers: marked({
      check: createCheckSegment({ recordings, copies, source, alarms, isCopied: segmentAccessOf(config).kind === 'ari', ...clock, onChecked: () => marks?.checked() }),
      assemble: assembleRecording,
      measure: createMeasureRecording({ recordings, store, files, logger, now: Date.now }),
      encode: createEncodeRecording({ recordings, store, files, encoder, logger, now: Date.now }),
      purge: createPurgeRecording({ recordings, store, workDirs, logger }),
      'delete-segments': createDeleteSegments({ recordings, source, logger }),
      erase: createEraseFiles({ recordings, source, store, workDirs, copies, logger }),
    }),
    alarms,
    logger,
    maxAttempts: MAX_ATTEMPTS,
    retryDelays: RETRY_DELAYS,
  })
  return createWorker({ queue, workOnJob, logger, concurrency: config.concurrency ?? availableParallelism(), leaseMs: config.leaseMs, ...timing })
}
