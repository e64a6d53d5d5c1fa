import { open } from 'node:fs/promises'
import { readFully } from './riff.ts'
import { bytesPerSample } from './wav.ts'
import type { Wav } from './wav.ts'

const BLOCK_BYTES = 256 * 1024
/** Short calls are compiled and stay so; V8 gives up on one long loop again and again (5 × slower). */
const RUN_SAMPLES = 4096

/** The samples [start, start + count) of a WAV file, interleaved if stereo; fewer where the data end. The default is all of them. */
export async function readSamples (path: string, wav: Wav, start = 0, count = wav.samples): Promise<Int16Array> {
  const sampleBytes = bytesPerSample(wav.format)
  const from = Math.min(Math.max(0, start), wav.samples)
  const bytes = Buffer.alloc(Math.max(0, Math.min(count, wav.samples - from)) * sampleBytes)
  const file = await open(path)
  try {
    const bytesRead = await readFully(file, bytes, wav.dataOffset + from * sampleBytes)
    return toSamples(bytes.subarray(0, bytesRead - bytesRead % sampleBytes))
  } finally {
    await file.close()
  }
}

export type Peak = { min: number, max: number }

/** The extremes of `buckets` equal parts of a WAV file, over all channels, as 16 bit values; 0 to 0 where there is nothing. Bounded memory. */
export async function peaks (path: string, wav: Wav, buckets: number): Promise<Peak[]> {
  const result: Peak[] = Array.from({ length: buckets }, () => ({ min: Infinity, max: -Infinity }))
  const { channels } = wav.format
  const total = wav.samples * channels
  const block = Buffer.alloc(BLOCK_BYTES)
  const file = await open(path)
  try {
    for (let done = 0; done < total;) {
      const wanted = block.subarray(0, (total - done) * 2)
      const bytesRead = await readFully(file, wanted, wav.dataOffset + done * 2)
      addPeaks(result, toSamples(wanted.subarray(0, bytesRead - bytesRead % 2)), done, total)
      if (bytesRead < wanted.length) break
      done += bytesRead / 2
    }
  } finally {
    await file.close()
  }
  return result.map(peak => peak.min <= peak.max ? peak : { min: 0, max: 0 })
}

function addPeaks (result: Peak[], samples: Int16Array, position: number, total: number): void {
  for (let i = 0; i < samples.length;) {
    const bucket = Math.floor((position + i) * result.length / total)
    const end = Math.min(samples.length, i + RUN_SAMPLES, Math.max(i + 1, Math.ceil((bucket + 1) * total / result.length) - position))
    const part = samples.subarray(i, end)
    const { min, max } = extremes(part)
    const peak = result[bucket]
    if (peak) result[bucket] = { min: Math.min(peak.min, min), max: Math.max(peak.max, max) }
    i = end
  }
}

function extremes (samples: Int16Array): Peak {
  let min = 32767
  let max = -32768
  for (let i = 0; i < samples.length; i++) {
    const sample = samples[i]!
    if (sample < min) min = sample
    if (sample > max) max = sample
  }
  return { min, max }
}

function toSamples (bytes: Buffer): Int16Array {
  // Node runs on little-endian machines only, as WAV is; the view needs an even offset, which fresh buffers have.
  return new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2)
}
