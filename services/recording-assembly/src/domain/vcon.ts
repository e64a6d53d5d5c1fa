import type { Manifest, Timeline, Vcon } from '@tacet/contracts'
import { v5 } from 'uuid'
import { agentsOf } from './recording.ts'

export interface VconSource {
  manifest: Manifest
  timeline: Timeline
  /** Of the master: where it is had with a token, and the SHA-512 of its bytes in base64url; null: there is no audio. */
  audio: { url: string, sha512: string } | null
}

type Party = Vcon['parties'][number]

/**
 * A conversation as draft-ietf-vcon-vcon-core (June 2026, syntax 0.4.0) has it: who, the call as a recording set, its recording by
 * reference, and its timeline attached.
 */
export function toVcon ({ manifest, timeline, audio }: VconSource): Vcon {
  const { recordingId, direction, number, startedAt, endedAt } = manifest
  const { version } = timeline
  const { parties, ofSides, indexOf } = partiesOf(manifest)
  const everybody = ofSides.flat()
  const originator = direction === 'outbound' && everybody.length > 1 ? { originator: 1 } : {}
  const purge = timeline.purges.at(-1)

  return {
    vcon: '0.4.0',
    uuid: version === 1 ? recordingId : v5(String(version), recordingId),
    created_at: endedAt,
    // A vCon of its own, so that who keeps the older one does not take it for the same. It names no other: what it was cut out of is gone.
    ...(purge === undefined ? {} : { updated_at: purge.at, redacted: { type: 'tacet-purge' as const } }),
    subject: `${direction} call${number === null ? '' : ` of ${number}`}, version ${version}`,
    parties,
    dialog: [
      {
        type: 'recording-set',
        start: startedAt,
        duration: Math.max(0, Date.parse(endedAt) - Date.parse(startedAt)) / 1000,
        parties: everybody,
        ...originator,
        recordings: audio === null ? [] : [1],
        party_history: historyOf(manifest, indexOf),
      },
      ...(audio === null
        ? []
        : [{
            type: 'recording' as const,
            start: timeline.originAt ?? timeline.segments.find(({ samples }) => samples > 0)?.startedAt ?? startedAt,
            duration: timeline.durationMs / 1000,
            // One entry for each channel; of a mix, whoever is in it.
            parties: timeline.channels === 2 ? ofSides.map(onChannel) : everybody,
            ...originator,
            recording_set: 0,
            mediatype: 'audio/x-wav',
            filename: `${recordingId}.wav`,
            url: audio.url,
            content_hash: `sha512-${audio.sha512}`,
          }]),
    ],
    attachments: [{
      purpose: 'tacet-timeline',
      start: endedAt,
      party: parties.length - 1,
      dialog: 0,
      mediatype: 'application/json',
      filename: 'timeline.json',
      encoding: 'json',
      body: timeline,
    }],
  }
}

/** Last of them is who made the vCon. `ofSides`: of two channels, who is on the first and who on the second. */
function partiesOf (manifest: Manifest) {
  const { direction, customer, companyName } = manifest
  const org = companyName === undefined ? {} : { org: companyName }
  const outside: Party[] = direction === 'internal' ? [] : [customerOf(customer)]
  const agents = agentsOf(manifest).map(({ agentId, name = 'agent' }): Party => ({ name, uuid: agentId, type: 'person', ...org }))
  const indices = [...outside, ...agents].map((_, index) => index)
  return {
    parties: [...outside, ...agents, { name: 'Tacet', type: 'organization' as const }],
    ofSides: [indices.slice(0, 1), indices.slice(1)],
    indexOf: (agentId: string): number => outside.length + agents.findIndex(({ uuid }) => uuid === agentId),
  }
}

/** What a trunk says of a caller need not be a number: `anonymous`, or the name of a SIP account. */
function customerOf (customer: string | null): Party {
  if (customer === null) return { name: 'customer' }
  return /^\+?[0-9*#]+$/.test(customer) ? { tel: `tel:${customer}`, name: 'customer' } : { name: customer }
}

const onChannel = (parties: number[]): number | number[] | null => parties.length > 1 ? parties : parties[0] ?? null

const historyOf = ({ agents }: Manifest, indexOf: (agentId: string) => number) => agents.flatMap(({ agentId, joinedAt, leftAt }) => [
  ...(joinedAt === null ? [] : [{ party: indexOf(agentId), time: joinedAt, event: 'join' as const }]),
  ...(leftAt === null ? [] : [{ party: indexOf(agentId), time: leftAt, event: 'drop' as const }]),
])
