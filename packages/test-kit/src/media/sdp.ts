import { pcmu, type Codec } from './codecs.ts'

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive'

export interface AudioDescription {
  host: string
  port: number
  direction: Direction
  /** Of the audio. */
  payloadType: number
  /** Payload type of RFC 4733 telephone events, when the other side takes them. */
  dtmfPayloadType: number | undefined
}

/** An offer or answer of one audio stream with telephone events. */
export function formatSdp (options: { host: string, port: number, direction: Direction, sessionId: number, version: number, codec?: Codec }): string {
  const { host, port, direction, sessionId, version, codec = pcmu } = options
  return [
    'v=0',
    `o=- ${sessionId} ${version} IN IP4 ${host}`,
    's=-',
    `c=IN IP4 ${host}`,
    't=0 0',
    `m=audio ${port} RTP/AVP ${codec.payloadType} 101`,
    `a=rtpmap:${codec.payloadType} ${codec.encoding}`,
    'a=rtpmap:101 telephone-event/8000',
    'a=fmtp:101 0-16',
    'a=ptime:20',
    `a=${direction}`,
    '',
  ].join('\r\n')
}

/** Reads where the other side wants its audio; throws when it does not take the codec. */
export function parseSdp (sdp: string, codec: Codec = pcmu): AudioDescription {
  const lines = sdp.split(/\r?\n/)
  const media = lines.findIndex(line => line.startsWith('m=audio '))
  const [, port, , ...payloadTypes] = lines[media]?.split(/\s+/) ?? []
  const section = lines.slice(media + 1, lines.findIndex((line, index) => index > media && line.startsWith('m=')) >>> 0)
  const find = (pattern: RegExp) => (section.map(line => pattern.exec(line)).find(Boolean) ?? lines.slice(0, media).map(line => pattern.exec(line)).find(Boolean))?.[1]
  const dtmf = find(/^a=rtpmap:(\d+) telephone-event\/8000/i)
  const mapped = find(new RegExp(`^a=rtpmap:(\\d+) ${codec.encoding}`, 'i')) ?? (codec === pcmu ? '0' : undefined)
  if (port === undefined || mapped === undefined || !payloadTypes.includes(mapped)) throw new Error(`SDP without ${codec.encoding} audio:\n${sdp}`)
  return {
    host: find(/^c=IN IP4 (\S+)/) ?? '127.0.0.1',
    port: Number(port),
    direction: (find(/^a=(sendrecv|sendonly|recvonly|inactive)/) ?? 'sendrecv') as Direction,
    payloadType: Number(mapped),
    dtmfPayloadType: dtmf === undefined ? undefined : Number(dtmf),
  }
}
