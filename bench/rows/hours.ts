import { execFile } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { topics, type Manifest, type Stack } from '@tacet/contracts'
import type { Producer } from 'kafkajs'
import { startCallers, type Calls } from '../calls.ts'
import type { Prepared } from '../disk.ts'
import { connectKafka, listen, type Arrived, type Listener } from '../events.ts'
import { describeSpread, ms, spreadOf, time, type Figure } from '../figures.ts'
import type { OverAri } from '../over-ari.ts'
import { prepareCall, publishClosed, publishEnded, removeRecording } from '../prepared-calls.ts'
import type { LiveBench } from '../row.ts'

const pauseMs = 5_000

/**
 * Calls of an hour, as the recording-assembly of `target` sees them. Nobody talks for an hour: a short call is hung up for real, and the moment
 * its end is told, the prepared one's is told in its place; that costs a way through Kafka more than a real one would.
 */
export async function assembleHours (bench: LiveBench, hour: Prepared, target: Stack, overAri?: OverAri): Promise<Figure> {
  const { stack, dir, times, say } = bench
  const recordings = target.kafka.topicPrefix + topics.recordings
  const producer = connectKafka(stack.kafka.brokers).producer()
  const [callers, listener] = await Promise.all([startCallers(stack), listen(stack.kafka.brokers, [stack.kafka.topicPrefix + topics.calls, recordings]), producer.connect()])
  try {
    const took = { assembled: [] as number[], ended: [] as number[], bare: [] as number[] }
    const count = times(15)
    for (let i = -1; i < count; i++) {
      say(`${overAri ? 'over ARI, ' : ''}call ${i} of ${count}`)
      const manifest = await prepareCall(hour.paths, { ...hour, pauseMs, spoolDir: stack.spoolDir! })
      if (overAri) {
        await publishClosed(producer, target.kafka.topicPrefix, manifest)
        await overAri.hasFetched(manifest.recordingId, hour.paths.length - 1)
      }
      const { endedMs, assembledMs, assembled } = await hangUp({ callers, listener, producer, topicPrefix: target.kafka.topicPrefix, recordings }, manifest)
      check(assembled, hour)
      const bareMs = await time(() => concatenate(hour.paths, join(dir, 'hour.wav')))
      await removeRecording(target, manifest.recordingId)
      if (i < 0) continue
      took.ended.push(endedMs)
      took.assembled.push(assembledMs)
      took.bare.push(bareMs)
    }
    return figureOf(took, hour, overAri !== undefined)
  } finally {
    await Promise.all([callers.close(), listener.close(), producer.disconnect()])
  }
}

interface Wires { callers: Calls, listener: Listener, producer: Producer, topicPrefix: string, recordings: string }

async function hangUp ({ callers, listener, producer, topicPrefix, recordings }: Wires, manifest: Manifest): Promise<{ endedMs: number, assembledMs: number, assembled: Arrived }> {
  const [call] = await callers.open(1)
  const told = listener.waitFor(({ key, type }) => key === call!.callId && type === 'recording.ended').then(async ended => {
    await publishEnded(producer, topicPrefix, [manifest])
    return ended
  })
  const made = listener.waitFor(({ topic, key, type }) => topic === recordings && key === manifest.callId && type === 'recording.assembled')
  const hungUpAtMs = performance.now()
  const [ended, assembled] = await Promise.all([told, made, callers.hangup()])
  return { endedMs: ended.atMs - hungUpAtMs, assembledMs: assembled.atMs - hungUpAtMs, assembled }
}

/** A figure of anything less would be worth nothing. */
function check ({ value }: Arrived, { paths, segmentSamples }: Prepared): void {
  const { outcome, samples, reasons } = JSON.parse(value) as { outcome: string, samples: number, reasons: unknown[] }
  if (outcome !== 'complete' || samples !== paths.length * segmentSamples) throw new Error(`a call of ${paths.length} × ${segmentSamples} samples was assembled to ${samples}, ${outcome}: ${JSON.stringify(reasons)}`)
}

async function concatenate (paths: string[], output: string): Promise<void> {
  await rm(output, { force: true })
  await promisify(execFile)('sh', ['-c', 'out=$1; shift; cat "$@" > "$out" && sha256sum "$out" && sync "$out"', 'sh', output, ...paths])
}

function figureOf (took: Record<'assembled' | 'ended' | 'bare', number[]>, { paths, bytes }: Prepared, isOverAri: boolean): Figure {
  const [assembled, bare] = [spreadOf(took.assembled), spreadOf(took.bare)]
  const ratio = assembled.p50 / bare.p50
  const goalMs = isOverAri ? 500 : 250
  return {
    figure: `hangup → assembled, a call of an hour in ${paths.length} segments, ${isOverAri ? 'over ARI, all but the last fetched ahead' : 'shared folder'}`,
    tacet: `p50 ${ms(assembled.p50)}, most ${ms(assembled.most)}`,
    reference: `cat, sha256sum and fsync: p50 ${ms(bare.p50)}, most ${ms(bare.most)}`,
    ratio,
    goal: `p50 ≤ ${goalMs} ms${isOverAri ? '' : ', ≤ 1.5 ×'}`,
    isMet: assembled.p50 <= goalMs && (isOverAri || ratio <= 1.5),
    details: { bytes, assembled, bare, hangupUntilManifestAtConsumer: describeSpread(spreadOf(took.ended)) },
  }
}
