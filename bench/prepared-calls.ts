import { randomUUID } from 'node:crypto'
import { link, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { dataSchemaOf, manifestSchema, topics, type Manifest, type Stack } from '@tacet/contracts'
import { runSql } from '@tacet/test-kit'
import type { Producer } from 'kafkajs'
import { sampleRateHz } from './disk.ts'

/** A call with a pause after each segment, as call-control tells of it, with the files that Asterisk would have written: each is `segmentSamples` long. */
export async function prepareCall (paths: string[], { segmentSamples, pauseMs, spoolDir }: { segmentSamples: number, pauseMs: number, spoolDir: string }): Promise<Manifest> {
  const manifest = describeCall(paths.length, segmentSamples * 1000 / sampleRateHz, pauseMs)
  // Linked, not copied: what was written in the course of a call has long been on the disk.
  for (const [index, { tracks: [track] }] of manifest.segments.entries()) await link(paths[index]!, join(spoolDir, `${track!.name}.wav`))
  return manifest
}

function describeCall (count: number, segmentMs: number, pauseMs: number): Manifest {
  const callId = randomUUID()
  const openMs = Math.ceil(segmentMs) + 40
  const endMs = Date.now()
  const startMs = endMs - count * openMs - (count - 1) * pauseMs
  const at = (ms: number) => new Date(startMs + ms).toISOString()
  const opened = (index: number) => index * (openMs + pauseMs)
  const numbers = Array.from({ length: count }, (_, index) => index)
  return manifestSchema.parse({
    recordingId: callId,
    callId,
    aliases: [],
    companyId: randomUUID(),
    pbxId: 'bench',
    direction: 'inbound',
    number: null,
    customer: null,
    agents: [],
    startedAt: at(0),
    answeredAt: at(0),
    endedAt: new Date(endMs).toISOString(),
    endReason: 'hangup',
    sampleRateHz,
    segments: numbers.map(index => ({
      number: index + 1,
      tracks: [{ track: 'mix', name: `tacet/tacet-${callId}-${index + 1}`, format: 'wav', sampleRateHz }],
      requestedAt: at(opened(index)),
      openedAt: at(opened(index) + 4),
      closedAt: at(opened(index) + openMs),
      closedBy: index < count - 1 ? 'pause' : 'end',
      proof: 'event',
      isUncertain: false,
    })),
    gaps: numbers.slice(1).map(index => ({ startedAt: at(opened(index) - pauseMs), endedAt: at(opened(index)), reasons: ['agent'], by: [] })),
    faults: [],
  })
}

/** With the job that would measure it later: what is benchmarked then is to have the machine for itself. */
export async function removeRecording ({ recordingsDir, postgres }: Stack, recordingId: string): Promise<void> {
  await runSql(postgres.roles.recording_assembly, `delete from recording_assembly.jobs where kind = 'measure' and recording_id = '${recordingId}'`)
  await rm(join(recordingsDir!, recordingId.slice(0, 2), recordingId), { recursive: true, force: true })
}

/** What is told while the calls go on. */
export async function publishClosed (producer: Producer, topicPrefix: string, { segments, endedAt, ...call }: Manifest): Promise<void> {
  await publish(producer, topicPrefix, segments.filter(({ closedBy }) => closedBy !== 'end').map(segment =>
    ({ type: 'segment.closed', callId: call.callId, time: segment.closedAt, data: { ...idsOf(call), at: segment.closedAt, seq: segment.number, segment } })))
}

export async function publishEnded (producer: Producer, topicPrefix: string, manifests: Manifest[]): Promise<void> {
  await publish(producer, topicPrefix, manifests.map(manifest => {
    const { callId, endedAt, endReason, segments } = manifest
    return { type: 'recording.ended', callId, time: endedAt, data: { ...idsOf(manifest), at: endedAt, seq: segments.length + 1, state: 'ended', reasons: [], endReason, manifest } }
  }))
}

const idsOf = ({ callId, companyId, recordingId }: Pick<Manifest, 'callId' | 'companyId' | 'recordingId'>) => ({ callId, companyId, recordingId })

async function publish (producer: Producer, topicPrefix: string, events: { type: string, callId: string, time: string, data: unknown }[]): Promise<void> {
  const messages = events.map(({ type, callId, time, data }) => ({
    key: callId,
    value: JSON.stringify(data),
    headers: {
      'content-type': 'application/json', ce_specversion: '1.0', ce_id: randomUUID(), ce_type: type, ce_source: 'urn:tacet:bench', ce_subject: callId, ce_time: time, ce_dataschema: dataSchemaOf(type),
    },
  }))
  await producer.send({ topic: topicPrefix + topics.calls, acks: -1, messages })
}
