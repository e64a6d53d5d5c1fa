import { readWavFrom, type BadWav, type Wav } from '../../src/wav.ts'
import { bytesSource } from '../../src/riff.ts'

const { WAV_MUTATIONS, WAV_SEED } = process.env

/** `npm run soak` asks for more, and for others each time; the names of the tests say which, to have them again. */
export function fuzzing ({ count }: { count: number }): { count: number, seed: number, name: string } {
  const wanted = Number(WAV_MUTATIONS ?? count)
  const seed = Number(WAV_SEED ?? (WAV_MUTATIONS === undefined ? 20_261_123 : Date.now() % 1_000_000))
  return { count: wanted, seed, name: `WAV_MUTATIONS=${wanted} WAV_SEED=${seed}` }
}

/** Reads a header; throws when a read leaves the file, or when there are too many. */
export async function readGuarded (bytes: Uint8Array): Promise<Wav | BadWav> {
  const source = bytesSource(bytes)
  let reads = 0
  return await readWavFrom({
    sizeBytes: bytes.length,
    read (position, lengthBytes) {
      if (position < 0 || position > bytes.length) throw new Error(`read at ${position} of ${bytes.length}`)
      if (lengthBytes < 0 || lengthBytes > 64) throw new Error(`read of ${lengthBytes} bytes for a header`)
      if (++reads > 300) throw new Error('too many reads')
      return source.read(position, lengthBytes)
    },
  })
}

/** What is found lies inside the file, and every fault says what it is. */
export function isSound (answer: Wav | BadWav, fileBytes: number): boolean {
  if (!answer.ok) return answer.fault.length > 0 && answer.detail.length > 0
  const { format, dataOffset, dataBytes, samples } = answer
  return Number.isInteger(samples) && samples >= 0 && dataOffset >= 44 && dataOffset + dataBytes <= fileBytes &&
    dataBytes === samples * format.channels * 2 && format.sampleRateHz > 0
}
