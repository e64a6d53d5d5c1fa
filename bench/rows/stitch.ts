import { execFile } from 'node:child_process'
import { open, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { readWavFile, stitch as stitchSegments, type StitchTrack } from '@tacet/audio'
import { prepareHour } from '../disk.ts'
import { median, time, type Figure } from '../figures.ts'
import type { Row } from '../row.ts'

const run = promisify(execFile)

/** An hour of audio joined by our own code, which takes its digest too, and by tools that don't; nobody syncs. */
export const stitch: Row = {
  name: 'stitch',
  needsStack: false,
  async run ({ dir, times, say }) {
    const { paths, bytes } = await prepareHour(join(dir, 'hour'))
    const output = join(dir, 'stitched.wav')
    const list = join(dir, 'list.txt')
    await writeFile(list, paths.map(path => `file '${path}'\n`).join(''))
    const work: Record<string, () => Promise<unknown>> = {
      tacet: () => stitchTo(paths, output),
      sox: () => run('sox', [...paths, output]),
      ffmpeg: () => run('ffmpeg', ['-v', 'error', '-y', '-f', 'concat', '-safe', '0', '-i', list, '-c', 'copy', output]),
      soxStart: () => run('sox', ['--version']),
      ffmpegStart: () => run('ffmpeg', ['-version']),
    }
    const took: Record<string, number[]> = {}
    for (let round = -1; round < times(10); round++) {
      say(`round ${round}`)
      for (const [name, once] of Object.entries(work)) {
        await rm(output, { force: true })
        const tookMs = await time(once)
        if (round >= 0) (took[name] ??= []).push(tookMs)
      }
    }
    return [figureOf(bytes, Object.fromEntries(Object.entries(took).map(([name, values]) => [name, median(values)])), took)]
  },
}

async function stitchTo (paths: string[], output: string): Promise<void> {
  const segments = await Promise.all(paths.map(async path => {
    const wav = await readWavFile(path)
    if (!wav.ok) throw new Error(wav.detail)
    return { tracks: [{ path, wav }] as [StitchTrack] }
  }))
  const file = await open(output, 'wx')
  await stitchSegments({ segments, output: file }).finally(() => file.close())
}

function figureOf (bytes: number, tookMs: Record<string, number>, all: Record<string, number[]>): Figure {
  const [tacet, sox, ffmpeg] = [tookMs.tacet!, tookMs.sox! - tookMs.soxStart!, tookMs.ffmpeg! - tookMs.ffmpegStart!]
  const speed = (took: number) => `${Math.round(bytes / 1e6 / took * 1000)} MB/s`
  return {
    figure: 'stitching an hour of twelve segments, page cache to page cache',
    tacet: `${speed(tacet)}, SHA-256 included`,
    reference: `sox ${speed(sox)}, ffmpeg -c copy ${speed(ffmpeg)}, without their start-up and without a digest`,
    ratio: Math.min(sox, ffmpeg) / tacet,
    goal: 'faster than both',
    isMet: tacet < sox && tacet < ffmpeg,
    details: { bytes, medianMs: tookMs, all },
  }
}
