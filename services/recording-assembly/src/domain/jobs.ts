import type { AssemblyEventData, JobKind, Segment, TrackFile } from '@tacet/contracts'

export interface JobPayload {
  /** For `check`: what was closed while its call goes on. */
  callId?: string
  segment?: Segment
  /** What is to be deleted from the PBX: for `delete-segments` what is in the recording, for `erase` what of it was cut out. */
  files?: TrackFile[]
  /** For `erase`: the last generation of which nothing may be left. */
  upToGeneration?: number
  /** For `erase`: nothing of the recording may be left, on the PBX neither. */
  isWhole?: boolean
  /** For `erase`: what is to be said once that is gone. */
  purged?: Pick<AssemblyEventData<'recording.purged'>, 'purgeId' | 'version' | 'orderedAt' | 'by' | 'durationMs' | 'samples' | 'sha256' | 'links'>
}

export interface NewJob { kind: JobKind, item?: string, payload?: JobPayload, delayMs?: number }

/** In the transaction in which those generations cease to count. */
export const eraseUpTo = (generation: number, cutOut: Pick<JobPayload, 'purged' | 'files'> = {}): NewJob =>
  ({ kind: 'erase', item: String(generation), payload: { upToGeneration: generation, ...cutOut } })

/** In the transaction in which the recording is marked as deleted. */
export const eraseAll = (generation: number): NewJob => ({ kind: 'erase', item: 'recording', payload: { upToGeneration: generation, isWhole: true } })

/** In the transaction in which a cut is called off: what was made of it so far. */
export const eraseWithdrawn = (generation: number, purgeId: string): NewJob => ({ kind: 'erase', item: `withdrawn-${purgeId}`, payload: { upToGeneration: generation } })

/** In the transaction in which it is found that a file was made of a generation that counts no more. `id` tells such jobs apart: another one may be at work already. */
export const eraseStray = (generation: number, id: string): NewJob => ({ kind: 'erase', item: `stray-${id}`, payload: { upToGeneration: generation } })
