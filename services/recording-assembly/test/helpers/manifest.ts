import { randomUUID } from 'node:crypto'
import type { Gap, Manifest, Segment } from '@tacet/contracts'

export const start = Date.parse('2026-01-05T09:00:00.000Z')
export const at = (ms: number): string => new Date(start + ms).toISOString()

export const actor = { kind: 'agent', agentId: '01990000-0000-7000-8000-000000001001', credentialId: null } as const

export interface SegmentSpec extends Partial<Omit<Segment, 'number' | 'tracks'>> {
  /** When it was asked for and when it was closed, in ms of the call. */
  fromMs: number
  toMs: number
  number?: number
}

/** A manifest of a call of these segments, with a gap by the agent between each two. */
export function manifestOf (specs: SegmentSpec[], overrides: Partial<Manifest> = {}): Manifest {
  const callId = overrides.callId ?? randomUUID()
  const sampleRateHz = overrides.sampleRateHz ?? 8000
  const segments = specs.map(({ fromMs, toMs, ...segment }, index): Segment => {
    const number = segment.number ?? index + 1
    return {
      number,
      tracks: [{ track: 'mix', name: `tacet/tacet-${callId}-${number}`, format: sampleRateHz === 8000 ? 'wav' : 'wav16', sampleRateHz }],
      requestedAt: at(fromMs),
      openedAt: at(fromMs + 4),
      closedAt: at(toMs),
      closedBy: 'pause',
      proof: 'event',
      isUncertain: false,
      ...segment,
    }
  })
  const endMs = specs.at(-1)?.toMs ?? 1_000
  return {
    recordingId: callId,
    callId,
    aliases: [],
    companyId: '01990000-0000-7000-8000-000000000001',
    pbxId: 'test',
    direction: 'inbound',
    number: '+442071838750',
    customer: '+420777000111',
    agents: [{ agentId: actor.agentId, endpoint: 'PJSIP/1001', joinedAt: at(0), leftAt: null }],
    startedAt: at(-2_000),
    answeredAt: at(0),
    endedAt: at(endMs),
    endReason: 'hangup',
    sampleRateHz,
    segments,
    gaps: specs.slice(1).map(({ fromMs }, index): Gap => ({ startedAt: at(specs[index]?.toMs ?? 0), endedAt: at(fromMs + 4), reasons: ['agent'], by: [actor] })),
    faults: [],
    settings: { gaps: 'remove', minimumLengthMs: 0, retentionDays: null, recordingChannels: 'mono', outputFormats: [] },
    ...overrides,
  }
}
