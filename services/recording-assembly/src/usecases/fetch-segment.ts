import { basename } from 'node:path'
import { readWavFile } from '@tacet/audio'
import type { Segment, TrackFile } from '@tacet/contracts'
import type { Logger } from '@tacet/service-kit'
import { judgeTrack, type Finding } from '../domain/segment.ts'
import type { Copies, FetchedFile, Lease, Recordings, SegmentSource } from './ports.ts'

interface FetchDependencies {
  recordings: Pick<Recordings, 'finish'>
  copies: Copies
  source: SegmentSource
  logger: Logger
}

/**
 * Copies a closed segment while its call goes on, so that little is left to do at the end. Only what is as it should be is kept:
 * about anything else the assembly decides, which looks for itself.
 */
export function createFetchSegment ({ recordings, copies, source, logger }: FetchDependencies) {
  async function fetchTrack (segment: Segment, file: TrackFile, folder: string, { job, signal }: Lease): Promise<FetchedFile | null> {
    const path = await source.fetch(file, folder, signal)
    const wav = path === null ? null : await readWavFile(path)
    const finding: Finding = wav === null ? { kind: 'absent' } : wav.ok ? { kind: 'audio', path: path ?? '', wav } : { kind: 'bad', fault: wav.fault, detail: wav.detail }
    const { reasons, audio } = judgeTrack(segment, { file, isForeign: false }, finding, file.sampleRateHz)
    if (reasons.length > 0) logger.warn({ recordingId: job.recordingId, segment: segment.number, file: basename(file.name), reasons }, 'segment not as it should be, while its call goes on')
    return reasons.length > 0 || audio === null ? null : { name: file.name, path: audio.path }
  }

  return async (lease: Lease): Promise<void> => {
    const { job } = lease
    const { recordingId, payload: { segment } } = job
    if (segment === undefined) return await recordings.finish(job)
    if (await copies.isWanted(recordingId)) {
      const folder = await copies.create(recordingId, segment.number)
      const fetched = await Promise.all(segment.tracks.map(async file => await fetchTrack(segment, file, folder, lease)))
      const files = fetched.filter(file => file !== null)
      if (files.length > 0 && await copies.keep(job, files)) return
    }
    await copies.remove(recordingId, segment.number)
    await recordings.finish(job)
  }
}
