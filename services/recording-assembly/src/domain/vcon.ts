import type { Manifest, Timeline } from '@tacet/contracts'

export interface VconSource {
  manifest: Manifest
  timeline: Timeline
  version: number
  /** Of the master: where it is had with a token, and the SHA-512 of its bytes in base64url; null: there is no audio. */
  audio: { url: string, sha512: string } | null
}

/** A conversation as draft-ietf-vcon-vcon-core (syntax 0.4.0) has it: who, the recording by reference, and its timeline attached. */
export function toVcon ({ manifest, timeline, version, audio }: VconSource) {
  const { recordingId, direction, number, customer, agents, startedAt, endedAt } = manifest
  const agentIds = [...new Set(agents.map(({ agentId }) => agentId))]
  const outside = { ...(customer === null ? {} : { tel: `tel:${customer}` }), name: 'customer' }
  const parties = [...(direction === 'internal' ? [] : [outside]), ...agentIds.map(agentId => ({ name: 'agent', uuid: agentId }))]
  const agentParty = (agentId: string): number => parties.findIndex(party => 'uuid' in party && party.uuid === agentId)
  const start = timeline.originAt ?? timeline.segments.find(({ samples }) => samples > 0)?.startedAt ?? startedAt

  return {
    vcon: '0.4.0' as const,
    uuid: recordingId,
    created_at: endedAt,
    subject: `${direction} call${number === null ? '' : ` of ${number}`}, version ${version}`,
    parties,
    dialog: audio === null
      ? []
      : [{
          type: 'recording' as const,
          start,
          duration: timeline.durationMs / 1000,
          parties: parties.map((_, index) => index),
          originator: direction === 'outbound' ? Math.min(1, parties.length - 1) : 0,
          mediatype: 'audio/x-wav',
          filename: `${recordingId}.wav`,
          url: audio.url,
          content_hash: `sha512-${audio.sha512}`,
          party_history: agents.flatMap(({ agentId, joinedAt, leftAt }) => [
            ...(joinedAt === null ? [] : [{ party: agentParty(agentId), time: joinedAt, event: 'join' as const }]),
            ...(leftAt === null ? [] : [{ party: agentParty(agentId), time: leftAt, event: 'drop' as const }]),
          ]),
        }],
    analysis: [],
    attachments: audio === null || parties.length === 0
      ? []
      : [{
          purpose: 'tacet-timeline',
          start,
          party: 0,
          dialog: 0,
          mediatype: 'application/json',
          filename: 'timeline.json',
          encoding: 'json' as const,
          body: JSON.stringify(timeline),
        }],
  }
}
