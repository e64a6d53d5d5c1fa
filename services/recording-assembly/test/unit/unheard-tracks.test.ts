import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'tap'
import { encodeWav, readWavFile } from '@tacet/audio'
import type { JudgedSegment } from '../../src/domain/segment.ts'
import { unheardTracks } from '../../src/usecases/unheard-tracks.ts'
import { folder } from '../helpers/bucket.ts'
import { manifestOf } from '../helpers/manifest.ts'

const never = new AbortController().signal
const silent = new Int16Array(100_000)
/** One sample is not zero, far behind. */
const heard = silent.with(90_000, -1)

test('a side is unheard if no segment has a sound of it, wherever that would be', async t => {
  const dir = await folder(t)
  const [segment] = manifestOf([{ fromMs: 0, toMs: 1_000 }]).segments
  async function judged (...segments: Record<string, Int16Array | null>[]): Promise<JudgedSegment[]> {
    return await Promise.all(segments.map(async (sides, index) => ({
      segment: segment!,
      tracks: await Promise.all(Object.entries(sides).map(async ([track, samples]) => {
        const path = join(dir, `${index}-${track}.wav`)
        await writeFile(path, encodeWav({ sampleRateHz: 8000, channels: 1, bitsPerSample: 16 }, samples ?? silent))
        const wav = await readWavFile(path)
        if (!wav.ok) throw new Error(wav.detail)
        return { file: { ...segment!.tracks[0]!, track: track as 'in' | 'out' | 'mix' }, audio: samples && { path, wav }, samples: samples?.length ?? 0, reasons: [], notes: [], isExpendable: true }
      })),
    })))
  }
  t.same(await unheardTracks(await judged({ in: heard, out: heard }), never), [])
  t.same(await unheardTracks(await judged({ in: heard, out: silent }, { in: silent, out: silent }), never), ['out'])
  t.same(await unheardTracks(await judged({ in: silent, out: silent }, { in: silent, out: heard }), never), ['in'])
  t.same(await unheardTracks(await judged({ mix: silent }), never), ['mix'])
  t.same(await unheardTracks(await judged({ in: null, out: heard }), never), [], 'what is not there says nothing')
})
