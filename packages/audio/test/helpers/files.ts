import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { encodeWav, readWavFile } from '@tacet/audio'
import type { StitchTrack, WavFormat } from '@tacet/audio'

export const mono: WavFormat = { sampleRateHz: 8000, channels: 1, bitsPerSample: 16 }
export const stereo: WavFormat = { sampleRateHz: 16000, channels: 2, bitsPerSample: 16 }

export async function tempFolder (t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tacet-audio-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** Samples that repeat only after 65,521, so that each tells its place. */
export function countingSamples (count: number, first = 0): Int16Array {
  return Int16Array.from({ length: count }, (_, i) => (first + i) % 65521 - 32760)
}

export async function writeSegment (folder: string, name: string, samples: Int16Array, format = mono): Promise<StitchTrack> {
  const path = join(folder, name)
  await writeFile(path, encodeWav(format, samples))
  return readSegment(path)
}

export async function readSegment (path: string): Promise<StitchTrack> {
  const wav = await readWavFile(path)
  if (!wav.ok) throw new Error(wav.detail)
  return { path, wav }
}
