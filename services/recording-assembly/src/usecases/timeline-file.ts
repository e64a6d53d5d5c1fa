import { createHash } from 'node:crypto'
import { text } from 'node:stream/consumers'
import { timelineSchema, type Timeline } from '@tacet/contracts'
import { timelineFile } from '../domain/recording.ts'
import { DependencyUnavailable } from './errors.ts'
import type { PutOptions, RecordingStore, StoredFile } from './ports.ts'

type Generation = Omit<StoredFile, 'file'>

export async function putTimeline (store: RecordingStore, { recordingId, generation }: Generation, timeline: Timeline, options: PutOptions): Promise<void> {
  const content = `${JSON.stringify(timeline, null, 2)}\n`
  const { sha256 } = await store.put({ recordingId, generation, file: timelineFile }, async file => await file.writeFile(content), options)
  if (sha256 !== createHash('sha256').update(content).digest('hex')) throw new DependencyUnavailable('store', 'the timeline was not stored as it was written')
}

export async function readTimeline (store: Pick<RecordingStore, 'read'>, { recordingId, generation }: Generation): Promise<Timeline> {
  return timelineSchema.parse(JSON.parse(await text(await store.read({ recordingId, generation, file: timelineFile }))))
}
