import { randomUUID } from 'node:crypto'
import { link, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { encodeWav } from '@tacet/audio'
import { dataSchemaOf, manifestSchema, topics, type Manifest } from '@tacet/contracts'
import type { Producer } from 'kafkajs'

const sampleRateHz = 8000
const segmentMs = 6_000

/** Calls of twelve seconds with one pause, as call-control tells of them, and what Asterisk has written of each. */
export async function prepareShortCalls (count: number, { dir, spoolDir }: { dir: string, spoolDir: string }): Promise<Manifest[]> {
  const prepared = join(dir, 'short.wav')
  await writeFile(prepared, encodeWav({ sampleRateHz, channels: 1, bitsPerSample: 16 }, new Int16Array((segmentMs - 40) * 8).map((_, n) => Math.imul(n, 0x9e3779b1) >> 18)))
  const manifests = Array.from({ length: count }, shortCall)
  for (const { segments } of manifests) {
    for (const { tracks: [track] } of segments) await link(prepared, join(spoolDir, `${track!.name}.wav`))
  }
  return manifests
}

function shortCall (): Manifest {
  const callId = randomUUID()
  const endMs = Date.now() - 10_000
  const at = (ms: number) => new Date(endMs - 3 * segmentMs + ms).toISOString()
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
    endedAt: at(3 * segmentMs),
    endReason: 'hangup',
    sampleRateHz,
    segments: [1, 2].map(number => ({
      number,
      tracks: [{ track: 'mix', name: `tacet/tacet-${callId}-${number}`, format: 'wav', sampleRateHz }],
      requestedAt: at(2 * (number - 1) * segmentMs),
      openedAt: at(2 * (number - 1) * segmentMs + 4),
      closedAt: at((2 * number - 1) * segmentMs),
      closedBy: number === 1 ? 'pause' : 'end',
      proof: 'event',
      isUncertain: false,
    })),
    gaps: [{ startedAt: at(segmentMs), endedAt: at(2 * segmentMs), reasons: ['agent'], by: [] }],
    faults: [],
  })
}

export async function publishEnded (producer: Producer, topicPrefix: string, manifests: Manifest[]): Promise<void> {
  const messages = manifests.map(manifest => {
    const { callId, companyId, recordingId, endedAt, endReason } = manifest
    const type = 'recording.ended'
    const headers = {
      'content-type': 'application/json', ce_specversion: '1.0', ce_id: randomUUID(), ce_type: type, ce_source: 'urn:tacet:bench', ce_subject: callId, ce_time: endedAt, ce_dataschema: dataSchemaOf(type),
    }
    return { key: callId, headers, value: JSON.stringify({ callId, companyId, recordingId, seq: 1, at: endedAt, state: 'ended', reasons: [], endReason, manifest }) }
  })
  await producer.send({ topic: topicPrefix + topics.calls, acks: -1, messages })
}
