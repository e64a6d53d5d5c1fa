import { spawn } from 'node:child_process'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import type { Codec } from './codecs.ts'
import type { AudioSource } from './sources.ts'

const preparedSeconds = 60
const prepared = new WeakMap<AudioSource, Promise<Buffer>>()
const encoded = new WeakMap<AudioSource, Buffer>()

/**
 * Wideband as real phones speak it, encoded by ffmpeg in advance. Each sample is sent twice, as L16 does it: every other sample of a
 * wideband recording is then the signal, about 16 dB louder than what the codec adds, and 11 samples late.
 */
export const g722: Codec = {
  encoding: 'G722/8000',
  payloadType: 9,
  // Its clock counts 8,000 a second, by an old mistake.
  ticksPerSample: 1,
  async prepare (source) {
    const pending = prepared.get(source) ?? encode(source)
    prepared.set(source, pending)
    encoded.set(source, await pending)
  },
  encode (source, from, count) {
    const payload = encoded.get(source)?.subarray(from, from + count)
    if (payload?.length !== count) throw new Error(`${source.name} is not prepared for G.722 from sample ${from} on`)
    return payload
  },
  /** Nobody has needed it: it would have to remember what went before. */
  decode: () => new Int16Array(0),
}

/** A byte for each two samples at 16 kHz, so for each of ours. */
async function encode (source: AudioSource): Promise<Buffer> {
  const ffmpeg = spawn('ffmpeg', ['-v', 'error', '-f', 's16le', '-ar', '16000', '-ac', '1', '-i', 'pipe:0', '-f', 'g722', 'pipe:1'], { stdio: ['pipe', 'pipe', 'inherit'] })
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
