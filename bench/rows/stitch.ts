import { execFile } from 'node:child_process'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { prepareHour } from '../disk.ts'
import { median, ms, time, type Figure } from '../figures.ts'
import { peakMemory } from '../peak-memory.ts'
import type { Row } from '../row.ts'
import { stitchTo } from '../stitching.ts'

const run = promisify(execFile)
const program = fileURLToPath(new URL('../stitching.ts', import.meta.url))
const catAndDigest = 'out=$1; shift; cat "$@" > "$out" && sha256sum "$out"'

/** An hour of audio joined by our own code, with fades and its digest, and by tools that make neither; nobody syncs, and starting a program does not count. */
export const stitch: Row = {
  name: 'stitch',
  needsStack: false,
  async run ({ dir, times, say }) {
    const { paths, bytes } = await prepareHour(join(dir, 'hour'))
    const output = join(dir, 'stitched.wav')
    const list = join(dir, 'list.txt')
    await writeFile(list, paths.map(path => `file '${path}'\n`).join(''))
    const tools: Record<'sox' | 'ffmpeg' | 'sh', { args: string[], start: string[] }> = {
      sox: { args: [...paths, output], start: ['--version'] },
      ffmpeg: { args: ['-v', 'error', '-y', '-f', 'concat', '-safe', '0', '-i', list, '-c', 'copy', output], start: ['-version'] },
      sh: { args: ['-c', catAndDigest, 'sh', output, ...paths], start: ['-c', 'cat /dev/null > /dev/null && sha256sum /dev/null'] },
    }
    const work: Record<string, () => Promise<unknown>> = { tacet: async () => await stitchTo(paths, output) }
    for (const [tool, { args, start }] of Object.entries(tools)) {
      work[tool] = async () => await run(tool, args)
      work[`${tool}Start`] = async () => await run(tool, start)
    }
    const took: Record<string, number[]> = {}
    for (let round = -2; round < times(15); round++) {
      say(`round ${round}`)
      for (const [name, once] of Object.entries(work)) {
        await rm(output, { force: true })
        const tookMs = await time(once)
        if (round >= 0) (took[name] ??= []).push(tookMs)
      }
    }
    say('memory')
    const node = ['--conditions=@tacet/source', program]
    const peaks = {
      tacet: await peakMemory(process.execPath, [...node, output, ...paths]),
      tacetTenHours: await peakMemory(process.execPath, [...node, '/dev/null', ...Array(10).fill(paths).flat()]),
      sox: await peakMemory('sox', tools.sox.args),
      ffmpeg: await peakMemory('ffmpeg', tools.ffmpeg.args),
      cat: await peakMemory('cat', paths),
      sha256sum: await peakMemory('sha256sum', paths),
    }
    return [speedFigure(bytes, Object.fromEntries(Object.entries(took).map(([name, values]) => [name, median(values)])), took), memoryFigure(peaks)]
  },
}

function speedFigure (bytes: number, tookMs: Record<string, number>, all: Record<string, number[]>): Figure {
  const without = (tool: string) => tookMs[tool]! - tookMs[`${tool}Start`]!
  const [tacet, sox, ffmpeg, bare] = [tookMs.tacet!, without('sox'), without('ffmpeg'), without('sh')]
  return {
    figure: 'stitching an hour with twenty gaps, page cache to page cache',
    tacet: `${ms(tacet)} (${Math.round(bytes / 1e6 / tacet * 1000)} MB/s), fades and SHA-256 included`,
    reference: `sox ${ms(sox)}, ffmpeg -c copy ${ms(ffmpeg)}, cat and sha256sum ${ms(bare)}`,
    ratio: tacet / bare,
    goal: 'faster than sox, 2 × as fast as ffmpeg, ≤ 1.5 × cat and sha256sum',
    isMet: tacet < sox && tacet * 2 <= ffmpeg && tacet <= 1.5 * bare,
    details: { bytes, medianMs: tookMs, all },
  }
}

function memoryFigure (peaks: Record<'tacet' | 'tacetTenHours' | 'sox' | 'ffmpeg' | 'cat' | 'sha256sum', number>): Figure {
  const mib = (value: number) => `${Math.round(value)} MiB`
  return {
    figure: 'stitching: the most memory at one time, Node.js itself included',
    tacet: `an hour ${mib(peaks.tacet)}, ten hours ${mib(peaks.tacetTenHours)}`,
    reference: `an hour: sox ${mib(peaks.sox)}, ffmpeg ${mib(peaks.ffmpeg)}, cat ${mib(peaks.cat)}, sha256sum ${mib(peaks.sha256sum)}`,
    ratio: peaks.tacet / Math.max(peaks.sox, peaks.ffmpeg),
    goal: 'ten hours < 100 MB',
    isMet: peaks.tacetTenHours * 1.048576 < 100,
    details: { peaks },
  }
}
