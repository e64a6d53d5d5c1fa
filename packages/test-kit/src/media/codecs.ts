import { decodeMuLaw, encodeMuLaw } from './mulaw.ts'
import type { AudioSource } from './sources.ts'

/** How a phone sends its 8 kHz audio. */
export interface Codec {
  /** As in SDP. */
  encoding: string
  /** What we offer; the other side may name another. */
  payloadType: number
  /** Ticks of the RTP clock for each sample at 8 kHz. */
  ticksPerSample: number
  /** Of a codec that encodes in advance: to be awaited before a source is sent. */
  prepare?: (source: AudioSource) => Promise<void>
  /** `count` samples of the source from index `from` on. */
  encode: (source: AudioSource, from: number, count: number) => Buffer
  decode: (payload: Buffer) => Int16Array
}

export const pcmu: Codec = {
  encoding: 'PCMU/8000',
  payloadType: 0,
  ticksPerSample: 1,
  encode: (source, from, count) => encodeMuLaw(source.read(from, count)),
  decode: decodeMuLaw,
}

/**
 * Linear samples at 16 kHz, each of ours twice: every other sample of a wideband recording is then the signal itself, and where the two of
 * a pair differ, something on the way was narrower. The samples are those that µ-law would have left, so that both kinds sound the same.
 */
export const l16: Codec = {
  encoding: 'L16/16000',
  payloadType: 118,
  ticksPerSample: 2,
  encode (source, from, count) {
    const payload = Buffer.allocUnsafe(count * 4)
    for (const [i, sample] of decodeMuLaw(encodeMuLaw(source.read(from, count))).entries()) {
      payload.writeInt16BE(sample, i * 4)
      payload.writeInt16BE(sample, i * 4 + 2)
    }
    return payload
  },
  decode: payload => Int16Array.from({ length: Math.floor(payload.length / 4) }, (_, i) => payload.readInt16BE(i * 4)),
}
