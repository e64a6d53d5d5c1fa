import type { FileHandle } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import type { Manifest, Timeline, TrackFile } from '@tacet/contracts'
import type { CheckResult, Transaction } from '@tacet/service-kit'
import type { Scope } from '../domain/access.ts'
import type { Verdict } from '../domain/outcome.ts'
import type { Recording } from '../domain/recording.ts'

/** Where the PBX keeps the segments. Everything but the answers named here is DependencyUnavailable. */
export interface SegmentSource {
  /** The path of a local file with the bytes, in `workDir` if they had to be copied; null: positively not there. */
  fetch (file: TrackFile, workDir: string, signal: AbortSignal): Promise<string | null>
  /** Fine when it is gone already. */
  remove (file: TrackFile, signal: AbortSignal): Promise<void>
  check (): Promise<CheckResult>
  close (): Promise<void>
}

/** Where finished recordings are kept. Its troubles are DependencyUnavailable. */
export interface RecordingStore {
  /** Removes what killed attempts have left, and makes those still under way fail. Before every attempt. */
  prepare (recordingId: string): Promise<void>
  /** All or nothing, durable on return: `write` fills a new file; what it throws is thrown as it comes. Returns its result and the size on disk. */
  putAudio<T> (recordingId: string, write: (file: FileHandle) => Promise<T>, signal: AbortSignal): Promise<{ result: T, bytes: number }>
  removeAudio (recordingId: string): Promise<void>
  /** Removes all there is of a recording that will not come to be. */
  discard (recordingId: string): Promise<void>
  /** `confirm` is awaited just before it becomes visible. */
  putTimeline (recordingId: string, timeline: Timeline, confirm: () => Promise<void>): Promise<void>
  /** Bytes `start` to `end`, both included. Destroy the stream if you don't read it to its end. */
  readAudio (recordingId: string, range: { start: number, end: number }): Promise<Readable>
  readTimeline (recordingId: string): Promise<Timeline>
  check (): Promise<CheckResult>
}

/** Room for copies of segments while one recording is made. */
export interface WorkDirs {
  /** A new, empty folder; those of earlier attempts are removed. */
  create (recordingId: string): Promise<string>
  remove (recordingId: string): Promise<void>
}

export type JobKind = 'assemble' | 'delete-segments'

/** A piece of work leased to us. */
export interface Job {
  jobId: string
  kind: JobKind
  recordingId: string
  /** This one included. */
  attempts: number
  /** How often it had to wait for something that was away. */
  postponements: number
  leaseId: string
  payload: JobPayload
  correlationId: string | null
}

/** For `delete-segments`: the files whose audio is in the recording. */
export interface JobPayload { files?: TrackFile[] }

/** Given to whoever works on a job. */
export interface Lease {
  job: Job
  /** Aborted when the lease is lost or has to be handed back. */
  signal: AbortSignal
  /** Throws LeaseLost unless the job is still ours, and then for a full lease more. */
  confirm (): Promise<void>
}

export interface JobQueue {
  claim (limit: number): Promise<Job[]>
  /** False when it is no longer ours. */
  renew (job: Job): Promise<boolean>
  /** Back to the queue. `isBlameless`: the attempt does not count. */
  putBack (job: Job, options: { delayMs: number, error: string | null, isBlameless: boolean }): Promise<void>
  /** By the kinds and states there are. */
  counts (): Promise<{ kind: string, state: string, count: number }[]>
}

export interface AssembledRecording {
  verdict: Verdict
  timeline: Timeline
  /** To be deleted from the PBX now. */
  expendable: TrackFile[]
}

export interface Recordings {
  /** The recording and the job to assemble it, in the transaction of the event; false when it is known already. */
  add (tx: Transaction, manifest: Manifest, correlationId: string | null): Promise<boolean>
  /** Null when there is no such recording. Says `recording.assembling`, once. */
  begin (job: Job): Promise<Recording | null>
  /** Outcome, event, end of the job and the job to delete the segments, all or nothing. Throws LeaseLost. */
  complete (job: Job, assembled: AssembledRecording): Promise<void>
  /** Parks the job; the recording is failed if this was its assembly. Throws LeaseLost. */
  fail (job: Job, code: string, detail: string): Promise<void>
  /** Ends a job that has nothing more to say. Throws LeaseLost. */
  finish (job: Job): Promise<void>
  find (recordingId: string, scope: Scope): Promise<Recording | null>
  /** Newest first. */
  list (scope: Scope, limit: number): Promise<Recording[]>
}
