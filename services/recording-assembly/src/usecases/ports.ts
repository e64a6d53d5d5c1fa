import type { FileHandle } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import type { AudioFormat, AuditEntry, JobKind, JobQuery, JobView, Manifest, RecordingQuery, Segment, Timeline, TrackFile } from '@tacet/contracts'
import type { CheckResult, Transaction } from '@tacet/service-kit'
import type { Asker } from '../domain/asker.ts'
import type { Scope } from '../domain/access.ts'
import type { JobPayload, NewJob } from '../domain/jobs.ts'
import type { Verdict } from '../domain/outcome.ts'
import type { Tell } from '../domain/progress.ts'
import type { Deletion, Hold, PurgeOrder, Recording, RecordingEvent } from '../domain/recording.ts'

/** Where the PBX keeps the segments. Everything but the answers named here is DependencyUnavailable. */
export interface SegmentSource {
  /** The path of a local file with the bytes, in `workDir` if they had to be copied; null: positively not there. */
  fetch (file: TrackFile, workDir: string, signal: AbortSignal): Promise<string | null>
  /** Fine when it is gone already. */
  remove (file: TrackFile, signal: AbortSignal): Promise<void>
  check (): Promise<CheckResult>
  close (): Promise<void>
}

/**
 * One file of a recording. Each attempt to make (or to cut) a recording writes a generation of its own; a generation's files
 * never change, and one that is older than the committed one will never be.
 */
export interface StoredFile { recordingId: string, generation: number, file: string }

export interface Digest { bytes: number, sha256: string }

export interface PutOptions {
  signal?: AbortSignal
  /** Awaited when all is written and checked, just before it becomes visible. Who gives it makes this file alone; others may make one together. */
  confirm?: () => Promise<void>
  /** How far it is, 0 to 1, once all is written. */
  onProgress?: Tell
}

/** `onWritten` may be told, again and again, how many bytes there are by now; then less is left to do once all are there. */
export type WriteFile<T> = (file: FileHandle, path: string, onWritten: (bytes: number) => void) => Promise<T>

/** Where finished recordings are kept. Its troubles are DependencyUnavailable. */
export interface RecordingStore {
  /** Removes the generations before this one (but for one to keep), which makes attempts that still write them fail. */
  prepare (recordingId: string, generation: number, options?: { keep?: number }): Promise<void>
  /**
   * All or nothing, durable and read back on return: `sha256` is of the bytes as they were read. `write` fills a new local file;
   * what it throws is thrown as it comes. `readBack`: of what it has read back from that file itself, which need not be read again.
   * The generation must be prepared, and its master comes first.
   */
  put<T> (name: StoredFile, write: WriteFile<T>, options?: PutOptions & { readBack?: (result: T) => Digest }): Promise<{ result: T } & Digest>
  /** All of it, or bytes `start` to `end`, both included. Destroy the stream if you don't read it to its end. */
  read (name: StoredFile, range?: { start: number, end: number }): Promise<Readable>
  /** In bytes, as `read` gives them. */
  size (name: StoredFile): Promise<number>
  /** Removes all generations up to this one, but for one to keep. */
  discard (recordingId: string, generation: number, options?: { keep?: number }): Promise<void>
  /** What there is of a recording, in all generations. */
  list (recordingId: string): Promise<StoredFile[]>
  check (): Promise<CheckResult>
  close (): void
}

/** Room for copies of segments while one recording is made. */
export interface WorkDirs {
  /** A new, empty folder; those of earlier generations are removed. */
  create (attempt: Omit<StoredFile, 'file'>): Promise<string>
  /** This one: others may be at work on the same recording by now. */
  remove (workDir: string): Promise<void>
  /** All that lies there, with copies made ahead and what is on its way to the store; what is begun later has another name. */
  list (): Promise<{ recordingId: string, path: string }[]>
  /** All that is on its way to or from the store, too. */
  clear (recordingId: string): Promise<void>
  /** Removes what nobody has touched for so long; its worker is dead. */
  sweep (olderThanMs: number): Promise<void>
}

export interface FetchedFile { name: string, path: string }

/** Copies of segments, fetched while their call goes on. They are a help and no more: what is missing or spoilt is fetched again. */
export interface Copies {
  /** The job to check it, in the transaction of the event; none once the recording has ended. */
  request (tx: Transaction, of: { callId: string, recordingId: string, companyId: string, correlationId: string | null }, segment: Segment): Promise<boolean>
  /** False once the recording has ended: its assembly looks for itself. */
  isWanted (recordingId: string): Promise<boolean>
  /** A new, empty folder; what an earlier attempt left is removed. */
  create (recordingId: string, segment: number): Promise<string>
  /** Notes the digests and ends the job; false, and nothing is done, once the recording has ended. Throws LeaseLost. */
  keep (job: Job, files: FetchedFile[]): Promise<boolean>
  /** Finds the copy of a file; null: there is none, or it is not what was fetched. */
  open (recordingId: string): Promise<(file: TrackFile, signal: AbortSignal) => Promise<string | null>>
  /** The files; of all segments unless one is named. */
  remove (recordingId: string, segment?: number): Promise<void>
  /** Of calls whose end was never told, and what was still to be checked of them or was given up. */
  forget (olderThanMs: number): Promise<void>
}

/** A piece of work leased to us. */
export interface Job {
  jobId: string
  kind: JobKind
  /** Tells jobs of one kind for one recording apart; mostly empty. */
  item: string
  recordingId: string
  companyId: string
  /** This one included. */
  attempts: number
  /** How often it had to wait for something that was away. */
  postponements: number
  leaseId: string
  payload: JobPayload
  correlationId: string | null
}

/** Given to whoever works on a job. */
export interface Lease {
  job: Job
  /** Aborted when the lease is lost or has to be handed back. */
  signal: AbortSignal
  /** Throws LeaseLost unless the job is still ours, and then for a full lease more. */
  confirm (): Promise<void>
  /** How far the work is, 0 to 1, for whoever asks; may be called as often as one likes. */
  tell: Tell
}

export interface JobQueue {
  /**
   * Of companies that wait, first one with the fewest jobs running, and of its jobs that which waits longest. What is made of a
   * finished recording is only claimed when there is nothing else, and is never more than `most`.
   */
  claim (limit: number, most?: { measure?: number, encode?: number }): Promise<Job[]>
  /** False when it is no longer ours. */
  renew (job: Job): Promise<boolean>
  /** Back to the queue. `isBlameless`: the attempt does not count. */
  putBack (job: Job, options: { delayMs: number, error: string | null, isBlameless: boolean }): Promise<void>
  noteProgress (job: Job, progress: number): Promise<void>
  /** By the kinds and states there are. */
  counts (): Promise<{ kind: string, state: string, count: number }[]>
}

/** Jobs as people look at them: of the companies within a scope. */
export interface JobDesk {
  /** The latest first. */
  list (scope: Scope, query: JobQuery): Promise<Page<JobView>>
  find (jobId: string, scope: Scope): Promise<JobView | null>
  /** Lets a parked job begin anew, with the entry in the audit log; `decide` sees both as they are then, and may throw. Null when there is no such job. */
  rerun (jobId: string, scope: Scope, decide: (job: JobView, recording: Recording) => AuditEntry): Promise<JobView | null>
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
  /** Outcome, event, end of the job and the job to delete the segments, all or nothing. Throws LeaseLost, also when it was deleted meanwhile. */
  complete (job: Job, assembled: AssembledRecording): Promise<void>
  /** Parks the job; the recording is failed, and its files are to be erased, if this was its assembly. Says so, also of a purge, which is in the audit log as well. Throws LeaseLost. */
  fail (job: Job, code: string, detail: string): Promise<void>
  /** Ends a job, with what is to be said of it, in the audit log too. Throws LeaseLost. */
  finish (job: Job, event?: RecordingEvent): Promise<void>
  find (recordingId: string, scope: Scope): Promise<Recording | null>
  /** Keeps it for the next who asks, as long as this generation counts. */
  noteSha512 (recording: Pick<Recording, 'recordingId' | 'storedGeneration'>, sha512: string): Promise<void>
  /** The latest calls first, without what was deleted. */
  list (scope: Scope, query: RecordingQuery): Promise<Page<Recording>>
  /**
   * Changes a recording, its jobs, and what is said of it, all or nothing, one at a time: `decide` sees it as it is then, and may throw.
   * Null when there is no such recording within `scope`.
   */
  change (recordingId: string, scope: Scope, decide: (recording: Recording) => Change): Promise<Recording | null>
  /** A new generation for the purge that is asked for; null when none is, or a hold stands against it. */
  beginPurge (job: Job): Promise<Recording & { purge: PurgeOrder } | null>
  /** The new version counts, and nothing of the older ones any more; they, and these files on the PBX, are left to a job that then says so. Throws LeaseLost, also when it was deleted or put on hold meanwhile. */
  completePurge (job: Job, timeline: Timeline, files: TrackFile[]): Promise<void>
  /** Takes note, with event and audit entry, that somebody begins to listen; once per sitting. */
  noteUsage (recording: Recording, usage: Usage, asker: Asker, entry: AuditEntry): Promise<void>
  /** Forgets whoever listened long ago; the audit log does not. */
  forgetSittings (): Promise<void>
  /** Those that may be kept no longer, and are on no hold; the longest overdue first. */
  expired (now: Date, limit: number): Promise<string[]>
  /** Whether a worker is making something of it: a job other than an erasure has a lease. */
  isWorkedOn (recordingId: string): Promise<boolean>
  /** Of these, the ones that are finished or deleted, and on which nobody is at work. */
  atRest (recordingIds: string[]): Promise<string[]>
  /** Ends the job by which the last of a recording was erased, forgets whom it was about, and says so, in the audit log too. Throws LeaseLost. */
  erased (job: Job, event: RecordingEvent): Promise<void>
}

/** How somebody came to hear a recording. */
export interface Usage {
  version: number
  format: AudioFormat
  use: 'listen' | 'download'
  via: 'token' | 'link'
  linkId?: string
}

export interface Page<Item> { items: Item[], nextCursor: string | null }

export interface Change {
  set?: { hold?: Hold | null, purge?: PurgeOrder | null, deletion?: Deletion, deletedAt?: Date }
  /** Jobs of this kind are over, also one that is being worked on: it loses its lease. */
  endJobs?: JobKind
  jobs?: NewJob[]
  events?: RecordingEvent[]
  audit?: AuditEntry[]
}

/** What a person should look at; told at least once, on the log and in a metric. */
export interface Alarms {
  raise (alarm: string, of: { callId: string, recordingId: string, segment?: number, [fact: string]: unknown }, message: string): void
}

/** Entries of the audit log that come with no change. */
export interface AuditLog {
  append (entry: AuditEntry): Promise<void>
}
