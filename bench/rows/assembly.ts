import { join } from 'node:path'
import { prepareHour, type Prepared } from '../disk.ts'
import type { Figure } from '../figures.ts'
import { startOverAri } from '../over-ari.ts'
import { forgetPeak, peakOf } from '../peak-memory.ts'
import type { LiveBench, Row } from '../row.ts'
import { pidOf } from '../usage.ts'
import { assembleHours } from './hours.ts'
import { assembleShortCalls } from './short-calls.ts'
import { stitch } from './stitch.ts'

/** What becomes of calls once they are over. */
export const assembly: Row = {
  name: 'assembly',
  needsStack: true,
  async run (bench) {
    const stitched = stitch.needsStack ? [] : await stitch.run(bench)
    const hour = await prepareHour(join(bench.dir, 'hour'))
    const pid = pidOf('recording-assembly')
    await forgetPeak(pid)
    const atRestMiB = await peakOf(pid)
    const shared = await assembleHours(bench, hour, bench.stack)
    const afterHoursMiB = await peakOf(pid)
    const overAri = await assembleOverAri(bench, hour)
    await forgetPeak(pid)
    const short = await assembleShortCalls(bench)
    return [...stitched, shared, overAri.figure, short, memoryFigure({ atRest: atRestMiB, shared: afterHoursMiB, overAri: overAri.peakMiB, short: await peakOf(pid) })]
  },
}

async function assembleOverAri (bench: LiveBench, hour: Prepared): Promise<{ figure: Figure, peakMiB: number }> {
  bench.say('a recording-assembly that shares no folder')
  const overAri = await startOverAri(bench)
  try {
    return { figure: await assembleHours(bench, hour, overAri.stack, overAri), peakMiB: await peakOf(overAri.pid) }
  } finally {
    await overAri.close()
  }
}

function memoryFigure (peaks: Record<'atRest' | 'shared' | 'overAri' | 'short', number>): Figure {
  const mib = (value: number) => `${Math.round(value)} MiB`
  return {
    figure: 'recording-assembly as it runs: the most memory at one time',
    tacet: `before ${mib(peaks.atRest)}, hours ${mib(peaks.shared)}, hours over ARI ${mib(peaks.overAri)} (its start included), short calls ${mib(peaks.short)}`,
    reference: '–',
    ratio: null,
    goal: '–',
    isMet: null,
    details: { peaks },
  }
}
