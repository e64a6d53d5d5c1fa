import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type Test } from 'tap'
import { encodeWav } from '@tacet/audio'
import { createFfmpeg } from '../../src/adapters/ffmpeg.ts'
import { planAssembly } from '../../src/domain/plan.ts'
import { inspectSegment, type InspectSegment } from '../../src/usecases/inspect-segment.ts'
import type { SegmentSource } from '../../src/usecases/ports.ts'
import { manifestOf, start, type SegmentSpec } from '../helpers/manifest.ts'

const sourceOf = (fetch: SegmentSource['fetch']): SegmentSource => ({ fetch, remove: async () => {}, check: async () => ({ isOk: true }), close: async () => {} })

async function inspect (fetch: SegmentSource['fetch'], options: Partial<InspectSegment>, spec: SegmentSpec = { fromMs: 0, toMs: 2_000 }) {
  const plan = planAssembly(manifestOf([spec]))
  if (plan.kind !== 'assembly') throw new Error(plan.detail)
  return await inspectSegment(plan.segments[0]!, {
    source: sourceOf(fetch),
    copyOf: async () => null,
    encoder: null,
    workDir: '/none',
    sampleRateHz: plan.sampleRateHz,
    signal: AbortSignal.timeout(10_000),
    settleMs: 0,
    now: Date.now,
    ...options,
  })
}

test('only the source says that a segment is not there: what is gone after it was fetched is fetched again', async t => {
  await t.rejects(inspect(async () => '/none/segment.wav', {}), { name: 'DependencyUnavailable', dependency: 'segments' })
  t.match(await inspect(async () => null, {}), { tracks: [{ reasons: [{ code: 'segment-missing' }] }] })
})

test('the last segment is waited for also where our clock is ahead, and the first look takes long', async t => {
  const path = join(t.testdir(), 'segment.wav')
  const whole = encodeWav({ sampleRateHz: 8_000, channels: 1, bitsPerSample: 16 }, new Int16Array(15_800))
  /** It is whole at the third look. */
  async function inspectAfter (ms: number) {
    let [looks, nowMs] = [0, start + 2_000 + ms]
    async function lookAt (): Promise<string> {
      nowMs += ++looks === 1 ? 3_000 : 10
      await writeFile(path, looks > 2 ? whole : whole.subarray(0, 20_000))
      return path
    }
    return { ...await inspect(lookAt, { now: () => nowMs, settleMs: 1_500 }), looks }
  }
  t.match(await inspectAfter(1_800), { looks: 3, tracks: [{ samples: 15_800, reasons: [] }] })
  t.match(await inspectAfter(60_000), { looks: 1, tracks: [{ reasons: [{ code: 'segment-repaired' }, { code: 'segment-short' }] }] }, 'what was closed long ago gets no better')
})

/** Two seconds at twice the rate of the call, and programs that take themselves for ffmpeg. */
async function resampling (t: Test, samples = 31_600) {
  const folder = t.testdir()
  const path = join(folder, 'segment.wav')
  await writeFile(path, encodeWav({ sampleRateHz: 16_000, channels: 1, bitsPerSample: 16 }, new Int16Array(samples)))
  let programs = 0
  return {
    async by (script: string) {
      const program = join(folder, `program-${++programs}`)
      await writeFile(program, `#!/bin/sh\n${script}\n`)
      await chmod(program, 0o755)
      return await inspect(async () => path, { encoder: createFfmpeg({ path: program }), workDir: folder })
    },
    byNobody: async () => await inspect(async () => path, { encoder: createFfmpeg({ path: join(folder, 'absent') }), workDir: folder }),
  }
}

test('a segment of another rate that can not be resampled now is no fault of the segment: it waits', async t => {
  const { by, byNobody } = await resampling(t)
  const troubles: [string, string, string][] = [
    ['it fails and does not say why', 'exit 1', 'encoder'],
    ['a library of it is gone', 'echo error while loading shared libraries >&2; exit 127', 'encoder'],
    ['it finds no memory', 'echo Cannot allocate memory >&2; exit 1', 'encoder'],
    ['it is killed', 'kill -9 $$', 'encoder'],
    ['the quota is used up', 'echo Disk quota exceeded >&2; exit 1', 'store'],
    ['the disk is broken', 'echo Input/output error >&2; exit 1', 'store'],
    ['the disk is full', 'echo No space left on device >&2; exit 1', 'store'],
    ['it makes nothing, and calls that a success', 'exit 0', 'encoder'],
    ['it makes half of it, and calls that a success', 'head -c 30000 | ffmpeg "$@"', 'encoder'],
  ]
  for (const [trouble, script, dependency] of troubles) await t.rejects(by(script), { name: 'DependencyUnavailable', dependency }, trouble)
  await t.rejects(byNobody(), { name: 'DependencyUnavailable', dependency: 'encoder' }, 'there is no such program')
})

test('what was resampled is judged by itself, not by what is said meanwhile', async t => {
  const { by } = await resampling(t)
  const talkative = 'echo "object from LD_PRELOAD cannot be preloaded: ignored" >&2; exec ffmpeg "$@"'
  t.match(await by(talkative), { tracks: [{ audio: {}, samples: 15_800, reasons: [], notes: ['resampled-from-16000'] }] })
})

test('a segment that is shorter than the filter need not come out at its length', async t => {
  for (const samples of [1, 100, 200, 500]) {
    const { by } = await resampling(t, samples)
    t.match(await by('exec ffmpeg "$@"'), { tracks: [{ reasons: [{ code: 'segment-short' }] }] }, `${samples} samples`)
  }
})
