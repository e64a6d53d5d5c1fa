import { spawn } from 'node:child_process'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import type { Codec } from './codecs.ts'
import type { AudioSource } from './sources.ts'

const preparedSeconds = 60

/**
 * Wideband as real phones speak it. Each sample is sent twice, as L16 does it: every other sample of a wideband recording is then the
 * signal, about 16 dB louder than what the codec adds, and 11 samples late.
 */
export const g722: Codec = inAdvance({
  encoding: 'G722/8000',
  payloadType: 9,
  // Its clock counts 8,000 a second, by an old mistake.
  ticksPerSample: 1,
}, { bytesPerSample: 1, ffmpeg: ['-f', 'g722'] })

/** At 128 kbit/s, so that what is heard is the signal itself. */
export const opus: Codec = inAdvance({
  encoding: 'opus/48000/2',
  payloadType: 107,
  ticksPerSample: 6,
}, { bytesPerSample: 2, ffmpeg: ['-map', '0:a', '-c:a', 'libopus', '-b:a', '128k', '-vbr', 'off', '-application', 'lowdelay', '-frame_duration', '20', '-f', 'data'] })

/** A codec that remembers what went before: ffmpeg encodes what a source will say, before it says it. All packets are of one size. */
function inAdvance (description: Pick<Codec, 'encoding' | 'payloadType' | 'ticksPerSample'>, { bytesPerSample, ffmpeg }: { bytesPerSample: number, ffmpeg: string[] }): Codec {
  const encoding = new WeakMap<AudioSource, Promise<Buffer>>()
  const encoded = new WeakMap<AudioSource, Buffer>()
  return {
    ...description,
    async prepare (source) {
      const bytes = encoding.get(source) ?? encode(source, ffmpeg)
      encoding.set(source, bytes)
      encoded.set(source, await bytes)
    },
    encode (source, from, count) {
      const payload = encoded.get(source)?.subarray(from * bytesPerSample, (from + count) * bytesPerSample)
      if (payload?.length !== count * bytesPerSample) throw new Error(`${source.name} is not prepared for ${description.encoding} from sample ${from} on`)
      return payload
    },
    /** Nobody has needed it: it would have to remember, too. */
    decode: () => new Int16Array(0),
  }
}

async function encode (source: AudioSource, output: string[]): Promise<Buffer> {
  const ffmpeg = spawn('ffmpeg', ['-v', 'error', '-f', 's16le', '-ar', '16000', '-ac', '1', '-i', 'pipe:0', ...output, 'pipe:1'], { stdio: ['pipe', 'pipe', 'inherit'] })
  const [bytes] = await Promise.all([buffer(ffmpeg.stdout), pipeline(Readable.from(eachSampleTwice(source)), ffmpeg.stdin)])
  return bytes
}

/** Second by second, so that phones that speak already are not held up. */
function * eachSampleTwice (source: AudioSource): Generator<Buffer> {
  for (let second = 0; second < preparedSeconds; second++) {
    const samples = source.read(second * 8000, 8000)
    yield Buffer.from(Int16Array.from({ length: 16000 }, (_, i) => samples[i >> 1]!).buffer)
  }
}
