import { mkdir, open, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { encodeWav } from '@tacet/audio'
import { spreadOf, time, type Spread } from './figures.ts'

/** How long the disk takes to make 4 KiB durable. */
export async function measureFsync (dir: string, count = 50): Promise<Spread> {
  const path = join(dir, 'fsync')
  const file = await open(path, 'w')
  const block = Buffer.alloc(4096, 1)
  const took: number[] = []
  try {
    for (let i = 0; i < count; i++) {
      took.push(await time(async () => {
        await file.write(block)
        await file.sync()
      }))
    }
  } finally {
    await file.close()
    await rm(path)
  }
  return spreadOf(took)
}

export const sampleRateHz = 8000
const segmentCount = 21

export interface Prepared { paths: string[], bytes: number, segmentSamples: number }

/** An hour of a call that was stopped twenty times, as Asterisk writes it. */
export async function prepareHour (dir: string): Promise<Prepared> {
  return await prepareSegments(dir, segmentCount, Math.floor(3600 * sampleRateHz / segmentCount))
}

export async function prepareSegments (dir: string, count: number, segmentSamples: number): Promise<Prepared> {
  await mkdir(dir, { recursive: true })
  const paths: string[] = []
  let bytes = 0
  for (let i = 0; i < count; i++) {
    const noise = new Int16Array(segmentSamples)
    for (let n = 0; n < noise.length; n++) noise[n] = Math.imul(n + i, 0x9e3779b1) >> 18
    const wav = encodeWav({ sampleRateHz, channels: 1, bitsPerSample: 16 }, noise)
    const path = join(dir, `${i + 1}.wav`)
    await writeFile(path, wav, { flush: true })
    paths.push(path)
    bytes += wav.length
  }
  return { paths, bytes, segmentSamples }
}
