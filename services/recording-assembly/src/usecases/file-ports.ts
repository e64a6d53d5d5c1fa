import type { Readable } from 'node:stream'
import type { JobState, OutputFormat } from '@tacet/contracts'
import type { CheckResult } from '@tacet/service-kit'
import type { Recording } from '../domain/recording.ts'
import type { NewJob } from '../domain/jobs.ts'
import type { Job } from './ports.ts'

export type Tags = Record<string, string>

export interface Encode {
  /** A whole WAV. */
  input: Readable
  /** The path of a local file, which is replaced. */
  output: string
  format: OutputFormat
  channels: 1 | 2
  durationMs: number
  tags: Tags
  signal: AbortSignal
  /** 0 to 1. */
  onProgress: (progress: number) => void
}

/** What turns audio into other audio. Throws DependencyUnavailable when it is not there. */
export interface Encoder {
  check (): Promise<CheckResult & { detail?: string }>
  encode (options: Encode): Promise<void>
  /** Makes a WAV of another rate of whole 16-bit samples of one channel. They can't be at fault: whatever fails is DependencyUnavailable, or what `input` threw. */
  resample (options: { input: Readable, inputRateHz: number, output: string, sampleRateHz: number, signal: AbortSignal }): Promise<void>
}

/** A file beside the master: another format, peaks. */
export interface DerivedFile { file: string, bytes: number, sha256: string }

/** What is known of the files beside the masters, and of the jobs that make them. */
export interface DerivedFiles {
  find (recording: Pick<Recording, 'recordingId' | 'storedGeneration'>, file: string): Promise<DerivedFile | null>
  /**
   * Notes a file that is in the store, and ends the job that made it. False: the generation does not count any more,
   * or is being cut. Then what is to be done about the file is, and the job begins anew as long as there is a recording. Throws LeaseLost.
   */
  add (recording: Pick<Recording, 'recordingId' | 'storedGeneration'>, file: DerivedFile, job: Job): Promise<boolean>
  /** The job that makes it, where there is one: added unless it is there already, and not left to its later time. */
  request (recordingId: string, job: NewJob): Promise<{ state: JobState, progress: number | null, lastError: string | null }>
}

/** Recordings in other formats than the master's. */
export interface FormatFiles {
  /** Makes it when it is not there yet; throws `not-ready` when that takes a while. */
  find (recording: Recording, format: OutputFormat): Promise<DerivedFile>
}
