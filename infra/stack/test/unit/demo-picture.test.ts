import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import t from 'tap'
import { encodeWav } from '@tacet/audio'
import type { Timeline } from '@tacet/contracts'
import { drawTimeline } from '../../src/demo/picture.ts'

const id = '01990000-0000-7000-8000-000000000001'
const epochMs = Date.parse('2026-01-01T00:00:00.000Z')
const at = (seconds: number) => new Date(epochMs + seconds * 1000).toISOString()

/** A call of `seconds` that was recorded but for one gap. */
const timelineOf = (seconds: number, gap: [from: number, to: number]): Timeline => ({
  schemaVersion: 1,
  version: 1,
  purges: [],
  recordingId: id,
  callId: id,
  companyId: id,
  outcome: 'complete',
  reasons: [],
  direction: 'inbound',
  number: null,
  customer: null,
  agents: [],
  startedAt: at(0),
  answeredAt: at(0),
  endedAt: at(seconds),
  endReason: 'hangup',
  sampleRateHz: 8000,
  channels: 1,
  gapMode: 'remove',
  originAt: null,
  samples: 0,
  durationMs: 0,
  bytes: 0,
  sha256: null,
  segments: [[0, gap[0]], [gap[1], seconds]].map(([from = 0, to = 0], index) => ({
    number: index + 1, startedAt: at(from), endedAt: at(to), offsetSamples: 0, samples: (to - from) * 8000, offsetMs: index * gap[0] * 1000, durationMs: (to - from) * 1000, fadeInSamples: 0, fadeOutSamples: 0, tracks: [], closedBy: 'pause', notes: [],
  })),
  fills: [],
  gaps: [{ startedAt: at(gap[0]), endedAt: at(gap[1]), reasons: ['agent'], by: [{ kind: 'agent', agentId: id, credentialId: id }], atSample: gap[0] * 8000, samples: 0, durationMs: (gap[1] - gap[0]) * 1000 }],
})

async function draw (t: { testdir: () => string }, timeline: Timeline): Promise<string[]> {
  const file = join(t.testdir(), 'recording.wav')
  await writeFile(file, encodeWav({ sampleRateHz: 8000, channels: 1, bitsPerSample: 16 }, Int16Array.from({ length: 20 * 8000 }, (_, i) => i % 2 ? 9000 : -9000)))
  const lines = await drawTimeline(timeline, file, { width: 60, nameOf: () => 'Anna' })
  return lines.map(line => stripVTControlCharacters(line).slice(2))
}

t.test('a gap is drawn where it was in the call, with its length, why and who', async t => {
  const [labels, axis, ...rows] = await draw(t, timelineOf(30, [10, 20]))
  t.equal(labels?.trimEnd(), '0 s       5 s       10 s      15 s      20 s      25 s')
  t.match(axis, /^├─+┼/)
  t.same(rows, ['not recorded', '10.0 s', 'agent: Anna'].map(text => {
    const left = Math.floor((18 - text.length) / 2)
    return `${'█'.repeat(20)}┊${' '.repeat(left)}${text}${' '.repeat(18 - left - text.length)}┊${'█'.repeat(20)}`
  }))
})

t.test('a gap too narrow for words, or for anything, is still there', async t => {
  for (const gap of [[10, 12], [10, 10.5], [10, 10.1], [29.9, 30]] as Array<[number, number]>) {
    const rows = (await draw(t, timelineOf(30, gap))).slice(2)
    for (const row of rows) {
      t.equal(row.length, 60, `${gap}`)
      t.match(row, '┊', `${gap}`)
    }
  }
})
