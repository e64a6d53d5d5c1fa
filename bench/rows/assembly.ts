import { execFile } from 'node:child_process'
import { link, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { topics } from '@tacet/contracts'
import { startCallers } from '../calls.ts'
import { createClient, type Client } from '../client.ts'
import { prepareHour } from '../disk.ts'
import { connectKafka, listen } from '../events.ts'
import { describeSpread, ms, spreadOf, time, type Figure } from '../figures.ts'
import type { LiveBench, Row } from '../row.ts'
import { prepareShortCalls, publishEnded } from '../short-calls.ts'

/** What becomes of calls once they are over. */
export const assembly: Row = {
  name: 'assembly',
  needsStack: true,
  run: async bench => [await assembleHours(bench), await assembleShortCalls(bench)],
}

/** A real call whose segments are exchanged for those of an hour, right before the customer hangs up. */
async function assembleHours (bench: LiveBench): Promise<Figure> {
  const { stack, agentToken, dir, times, say } = bench
  const { paths, bytes } = await prepareHour(join(dir, 'hour'))
  const prefixed = (topic: string) => stack.kafka.topicPrefix + topic
  const [callers, listener] = await Promise.all([startCallers(stack), listen(stack.kafka.brokers, [topics.calls, topics.recordings].map(prefixed))])
  const tacet = createClient(stack.callControl!.url, { token: agentToken })
  try {
    const took = { assembled: [] as number[], ended: [] as number[], bare: [] as number[] }
    const count = times(15)
    for (let i = -1; i < count; i++) {
      say(`call ${i} of ${count}`)
      const [call] = await callers.open(1)
      const callId = call!.callId
      await recordSegments(tacet, callId, paths.length)
      await exchangeSegments(bench, callId, paths)
      const ended = listener.waitFor(({ key, type }) => key === callId && type === 'recording.ended')
      const assembled = listener.waitFor(({ key, type }) => key === callId && type === 'recording.assembled')
      const hungUpAtMs = performance.now()
      await callers.hangup()
      const [endedAtMs, assembledAtMs] = [(await ended).atMs, (await assembled).atMs]
      const bareMs = await time(() => concatenate(paths, join(dir, 'hour.wav')))
      await rm(join(stack.recordingsDir!, callId.slice(0, 2), callId), { recursive: true })
      if (i < 0) continue
      took.ended.push(endedAtMs - hungUpAtMs)
      took.assembled.push(assembledAtMs - hungUpAtMs)
      took.bare.push(bareMs)
    }
    const [assembled, bare] = [spreadOf(took.assembled), spreadOf(took.bare)]
    const ratio = assembled.p50 / bare.p50
    return {
      figure: `hangup → assembled, a call of an hour in ${paths.length} segments, shared folder`,
      tacet: `p50 ${ms(assembled.p50)}, most ${ms(assembled.most)}`,
      reference: `cat, sha256sum and fsync: p50 ${ms(bare.p50)}, most ${ms(bare.most)}`,
      ratio,
      goal: 'p50 ≤ 250 ms, ≤ 1.5 ×',
      isMet: assembled.p50 <= 250 && ratio <= 1.5,
      details: { bytes, assembled, bare, hangupUntilManifestAtConsumer: describeSpread(spreadOf(took.ended)) },
    }
  } finally {
    await Promise.all([callers.close(), listener.close(), tacet.close()])
  }
}

/** Many calls that all end at once: what two workers get done of short ones. */
async function assembleShortCalls ({ stack, dir, times, say }: LiveBench): Promise<Figure> {
  const count = times(1000)
  const manifests = await prepareShortCalls(count, { dir, spoolDir: stack.spoolDir! })
  const ids = new Set(manifests.map(({ recordingId }) => recordingId))
  const producer = connectKafka(stack.kafka.brokers).producer()
  const [listener] = await Promise.all([listen(stack.kafka.brokers, [stack.kafka.topicPrefix + topics.recordings]), producer.connect()])
  try {
    say(`${count} short calls`)
    const startedAtMs = performance.now()
    await publishEnded(producer, stack.kafka.topicPrefix, manifests)
    const isDone = () => ids.size === 0
    const { atMs } = await listener.waitFor(({ key, type }) => type === 'recording.assembled' && ids.delete(key) && isDone(), 300_000)
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
    for (const { recordingId } of manifests) await rm(join(stack.recordingsDir!, recordingId.slice(0, 2), recordingId), { recursive: true, force: true })
  }
}

async function recordSegments (tacet: Client, callId: string, count: number): Promise<void> {
  for (let i = 1; i < count; i++) {
    await tacet.post(`/v1/calls/${callId}/recording/pause`)
    await tacet.post(`/v1/calls/${callId}/recording/resume`)
  }
}

/** Linked, not copied: what was written in the course of an hour has long been on the disk. */
async function exchangeSegments ({ stack, dir }: LiveBench, callId: string, paths: string[]): Promise<void> {
  for (const [index, path] of paths.entries()) {
    const draft = join(dir, `exchange-${index}`)
    await link(path, draft)
    await rename(draft, join(stack.spoolDir!, 'tacet', `tacet-${callId}-${index + 1}.wav`))
  }
}

async function concatenate (paths: string[], output: string): Promise<void> {
  await rm(output, { force: true })
  await promisify(execFile)('sh', ['-c', 'out=$1; shift; cat "$@" > "$out" && sha256sum "$out" && sync "$out"', 'sh', output, ...paths])
}
