import { open } from 'node:fs/promises'
import { readFully } from './riff.ts'
import { bytesPerSample } from './wav.ts'
import type { Wav } from './wav.ts'

const BLOCK_BYTES = 256 * 1024

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

/** Whether any sample is not zero. Reads no further than that, in bounded memory. */
export async function hasSound (path: string, wav: Wav, signal?: AbortSignal): Promise<boolean> {
  const silence = Buffer.alloc(BLOCK_BYTES)
  const block = Buffer.alloc(BLOCK_BYTES)
  const file = await open(path)
  try {
    for (let done = 0; done < wav.dataBytes;) {
      signal?.throwIfAborted()
      const bytesRead = await readFully(file, block.subarray(0, wav.dataBytes - done), wav.dataOffset + done)
      if (bytesRead === 0) return false
      if (!block.subarray(0, bytesRead).equals(silence.subarray(0, bytesRead))) return true
      done += bytesRead
    }
  } finally {
    await file.close()
  }
  return false
}

export type Peak = { min: number, max: number }

/** The extremes of `buckets` equal parts of a WAV file, over all channels, as 16 bit values; 0 to 0 where there is nothing. Bounded memory. */
export async function peaks (path: string, wav: Wav, buckets: number): Promise<Peak[]> {
  const result: Peak[] = Array.from({ length: buckets }, () => ({ min: Infinity, max: -Infinity }))
  const total = buckets > 0 ? wav.samples * wav.format.channels : 0
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

function addPeaks (peaks: Peak[], samples: Int16Array, position: number, total: number): void {
  for (let i = 0; i < samples.length;) {
    const bucket = Math.floor((position + i) * peaks.length / total)
    const end = Math.min(samples.length, Math.max(i + 1, Math.ceil((bucket + 1) * total / peaks.length) - position))
    const peak = peaks[bucket]!
    for (; i < end; i++) {
      const sample = samples[i]!
      if (sample < peak.min) peak.min = sample
      if (sample > peak.max) peak.max = sample
    }
  }
}

function toSamples (bytes: Buffer): Int16Array {
  // Node runs on little-endian machines only, as WAV is; the view needs an even offset, which fresh buffers have.
  return new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2)
}
