import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { readWavFile, type StitchSegment } from '@tacet/audio'
import type { Timeline } from '@tacet/contracts'
import type { Logger } from '@tacet/service-kit'
import { cutTimeline, planCut, type Cut } from '../domain/purge.ts'
import { part } from '../domain/progress.ts'
import { masterFile, ownFilesOf, type PurgeOrder, type Recording } from '../domain/recording.ts'
import { DependencyUnavailable } from './errors.ts'
import { putMaster } from './master-file.ts'
import { readMaster } from './read-master.ts'
import type { Lease, RecordingStore, Recordings, WorkDirs } from './ports.ts'
import { putTimeline, readTimeline } from './timeline-file.ts'

export interface PurgeDependencies {
  recordings: Recordings
  store: RecordingStore
  workDirs: WorkDirs
  logger: Logger
}

/** Makes the version without what is to go. Until it counts nobody hears the old one; what is left of that is erased by a job of its own. */
export function createPurgeRecording ({ recordings, store, workDirs, logger }: PurgeDependencies) {
  async function cutAudio (recording: Recording, cut: Cut, workDir: string, lease: Lease): Promise<{ bytes: number, sha256: string } | null> {
    if (cut.kept.length === 0) return null
    const { signal, tell } = lease
    const path = join(workDir, masterFile)
    const onBytes = (bytes: number) => part(tell, 0, 0.3)(bytes / (recording.bytes ?? Infinity))
    await pipeline(await readMaster(store, recording, { onBytes }), createWriteStream(path), { signal })
    const wav = await readWavFile(path)
    if (!wav.ok) throw new DependencyUnavailable('store', `the recording can't be read: ${wav.detail}`)
    const segments = cut.kept.map(({ from, to }): StitchSegment => ({ tracks: [{ path, wav, fromSample: from, samples: to - from }] }))
    const { fileBytes, sha256 } = await putMaster(store, recording, { segments, layout: cut.layout }, lease)
    return { bytes: fileBytes, sha256 }
  }

  /** The copy of the old version is gone when it returns. */
  async function makeVersion (recording: Recording, old: Timeline, order: PurgeOrder, lease: Lease): Promise<Timeline> {
    const workDir = await workDirs.create(recording)
    try {
      const cut = planCut(old, order.ranges)
      const timeline = cutTimeline(old, cut, order, await cutAudio(recording, cut, workDir, lease))
      await putTimeline(store, recording, timeline, lease)
      return timeline
    } finally {
      await workDirs.remove(workDir)
    }
  }

  return async (lease: Lease): Promise<void> => {
    const { job } = lease
    const recording = await recordings.beginPurge(job)
    if (recording === null) return await recordings.finish(job)
    const { recordingId, generation, storedGeneration, purge, manifest } = recording
    if (storedGeneration === null) throw new Error('nothing is stored of a recording that is to be purged')
    await store.prepare(recordingId, generation, { keep: storedGeneration })
    const timeline = await makeVersion(recording, await readTimeline(store, { recordingId, generation: storedGeneration }), purge, lease)
    const touched = { ...manifest, segments: manifest.segments.filter(({ number }) => purge.segments.includes(number)) }
    await recordings.completePurge(job, timeline, ownFilesOf(touched))
    logger.info({ recordingId, purgeId: purge.purgeId, version: timeline.version, samples: timeline.samples }, 'recording purged')
  }
}
