import { join } from 'node:path'
import { topics } from '@tacet/contracts'
import { prepareSegments, sampleRateHz } from '../disk.ts'
import { connectKafka, listen } from '../events.ts'
import type { Figure } from '../figures.ts'
import { prepareCall, publishEnded, removeRecording } from '../prepared-calls.ts'
import type { LiveBench } from '../row.ts'

const segmentSamples = 6 * sampleRateHz
const pauseMs = 6_000

/** Many calls that all end at once: what a worker for each core gets done of short ones. */
export async function assembleShortCalls ({ stack, dir, times, say }: LiveBench): Promise<Figure> {
  const count = times(1000)
  say(`${count} short calls`)
  const { paths } = await prepareSegments(join(dir, 'short'), 2, segmentSamples)
  const manifests = []
  for (let i = 0; i < count; i++) manifests.push(await prepareCall(paths, { segmentSamples, pauseMs, spoolDir: stack.spoolDir! }))
  const ids = new Set(manifests.map(({ recordingId }) => recordingId))
  const producer = connectKafka(stack.kafka.brokers).producer()
  const [listener] = await Promise.all([listen(stack.kafka.brokers, [stack.kafka.topicPrefix + topics.recordings]), producer.connect()])
  try {
    let complete = 0
    const startedAtMs = performance.now()
    await publishEnded(producer, stack.kafka.topicPrefix, manifests)
    const { atMs } = await listener.waitFor(({ key, type, value }) => {
      if (type !== 'recording.assembled' || !ids.delete(key)) return false
      const { outcome, samples } = JSON.parse(value) as { outcome: string, samples: number }
      if (outcome === 'complete' && samples === paths.length * segmentSamples) complete += 1
      return ids.size === 0
    }, 300_000)
    if (complete < count) throw new Error(`only ${complete} of ${count} calls were assembled whole`)
    const tookMs = atMs - startedAtMs
    const perMinute = Math.round(count / tookMs * 60_000)
    return {
      figure: `${count} calls of 12 s that end at once, from recording.ended to recording.assembled`,
      tacet: `${perMinute} a minute`,
      reference: '–',
      ratio: null,
      goal: '≥ 1,000 a minute',
      isMet: perMinute >= 1000,
      details: { count, tookMs },
    }
  } finally {
    await Promise.all([listener.close(), producer.disconnect()])
    for (const { recordingId } of manifests) await removeRecording(stack, recordingId)
  }
}
