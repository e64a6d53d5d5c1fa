import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'tap'
import { encodeWav } from '@tacet/audio'
import { createFfmpeg } from '../../src/adapters/ffmpeg.ts'
import { planAssembly } from '../../src/domain/plan.ts'
import { inspectSegment } from '../../src/usecases/inspect-segment.ts'
import { manifestOf } from '../helpers/manifest.ts'

test('a segment of another rate of which the encoder makes nothing has a wrong format, and is tried no more', async t => {
  const folder = t.testdir()
  const path = join(folder, 'segment.wav')
  await writeFile(path, encodeWav({ sampleRateHz: 16_000, channels: 1, bitsPerSample: 16 }, new Int16Array(31_600)))
  const plan = planAssembly(manifestOf([{ fromMs: 0, toMs: 2_000 }]))
  if (plan.kind !== 'assembly') throw new Error(plan.detail)
  const inspect = async (program: string) => await inspectSegment(plan.segments[0]!, {
    source: { fetch: async () => path, remove: async () => {}, check: async () => ({ isOk: true }), close: async () => {} },
    copyOf: async () => null,
    encoder: createFfmpeg({ path: program }),
    workDir: folder,
    sampleRateHz: plan.sampleRateHz,
    signal: AbortSignal.timeout(10_000),
    settleMs: 0,
    now: Date.now,
  })
  const refusing = join(folder, 'refusing')
  await writeFile(refusing, '#!/bin/sh\necho no such thing >&2\n')
  await chmod(refusing, 0o755)
  for (const program of ['/bin/false', refusing]) {
    t.match(await inspect(program), { tracks: [{ audio: null, isExpendable: false, reasons: [{ code: 'segment-wrong-format' }] }] })
  }
  await t.rejects(inspect(join(folder, 'absent')), { name: 'DependencyUnavailable' }, 'one that is not there has refused nothing')
})
