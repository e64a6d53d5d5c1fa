export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive'

export interface AudioDescription {
  host: string
  port: number
  direction: Direction
  /** Payload type of RFC 4733 telephone events, when the other side takes them. */
  dtmfPayloadType: number | undefined
}

/** An offer or answer of one µ-law audio stream with telephone events. */
export function formatSdp (options: { host: string, port: number, direction: Direction, sessionId: number, version: number }): string {
  const { host, port, direction, sessionId, version } = options
  return [
    'v=0',
    `o=- ${sessionId} ${version} IN IP4 ${host}`,
    's=-',
    `c=IN IP4 ${host}`,
    't=0 0',
    `m=audio ${port} RTP/AVP 0 101`,
    'a=rtpmap:0 PCMU/8000',
    'a=rtpmap:101 telephone-event/8000',
    'a=fmtp:101 0-16',
    'a=ptime:20',
    `a=${direction}`,
    '',
  ].join('\r\n')
}

/** Reads where the other side wants its audio; throws when it offers no µ-law. */
export function parseSdp (sdp: string): AudioDescription {
  const lines = sdp.split(/\r?\n/)
  const media = lines.findIndex(line => line.startsWith('m=audio '))
  const [, port, , ...payloadTypes] = lines[media]?.split(/\s+/) ?? []
  if (port === undefined || !payloadTypes.includes('0')) throw new Error(`SDP without PCMU audio:\n${sdp}`)
  const section = lines.slice(media + 1, lines.findIndex((line, index) => index > media && line.startsWith('m=')) >>> 0)
  const find = (pattern: RegExp) => (section.map(line => pattern.exec(line)).find(Boolean) ?? lines.slice(0, media).map(line => pattern.exec(line)).find(Boolean))?.[1]
  const dtmf = find(/^a=rtpmap:(\d+) telephone-event\/8000/i)
  return {
    host: find(/^c=IN IP4 (\S+)/) ?? '127.0.0.1',
    port: Number(port),
    direction: (find(/^a=(sendrecv|sendonly|recvonly|inactive)/) ?? 'sendrecv') as Direction,
    dtmfPayloadType: dtmf === undefined ? undefined : Number(dtmf),
  }
}
