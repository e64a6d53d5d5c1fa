import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { test } from 'tap'
import type { JobState } from '@tacet/contracts'
import type { Recording } from '../../src/domain/recording.ts'
import { arrange } from '../../src/domain/arrangement.ts'
import { buildTimeline } from '../../src/domain/timeline.ts'
import { createExportVcon } from '../../src/usecases/export-vcon.ts'
import { createReadPeaks } from '../../src/usecases/read-peaks.ts'
import { manifestOf } from '../helpers/manifest.ts'

const manifest = manifestOf([])
const timeline = buildTimeline(manifest, { outcome: 'complete', reasons: [] }, [], arrange(manifest, 1, []), null)
const peaks = { channels: 1, samplesPerPixel: 256, data: [-1, 1] }

/** A recording that was not measured yet, and the jobs by which that is asked for. */
function unmeasured () {
  const row = { recordingId: randomUUID(), manifest, status: 'complete', version: 1, storedGeneration: 1, sha256: 'a', sha512: null as string | null, deletedAt: null, purge: null } as unknown as Recording
  const asked: string[] = []
  const job = { state: 'running' as JobState, progress: 0.4, lastError: null as string | null }
  const meanwhile = { done: () => {} }
  let isDrawn = false
  const dependencies = {
    recordings: { find: async () => ({ ...row }) },
    store: {
      async read ({ file }: { file: string }) {
        if (file === 'recording.wav') throw new Error('nobody who asks may be kept waiting for all of it')
        return Readable.from([Buffer.from(JSON.stringify(file === 'peaks.json' ? peaks : timeline))])
      },
    },
    files: {
      find: async () => isDrawn ? { file: 'peaks.json', bytes: 1, sha256: 'b' } : null,
      async request (_recordingId: string, { kind }: { kind: string }) {
        asked.push(kind)
        meanwhile.done()
        return job
      },
    },
    now: Date.now,
  }
  const measure = () => { [row.sha512, isDrawn] = ['the-hash', true] }
  return { row, asked, job, meanwhile, measure, dependencies }
}
const scope = { kind: 'all' } as const
type Ask = (of: ReturnType<typeof unmeasured>, patienceMs: number) => Promise<unknown>
const askForVcon: Ask = (of, patienceMs) => createExportVcon({ ...of.dependencies, patienceMs })(of.row.recordingId, scope, 'https://x.example')
const askForPeaks: Ask = (of, patienceMs) => createReadPeaks({ ...of.dependencies, patienceMs })(of.row.recordingId, scope, { pixels: 10, bits: 8 })

for (const [what, ask] of [['a vCon', askForVcon], ['a waveform', askForPeaks]] as const) {
  test(`whoever wants ${what} of a recording that was not measured yet waits for the job, and never reads the audio`, async t => {
    const of = unmeasured()
    of.meanwhile.done = of.measure
    await ask(of, 10_000)
    t.same(of.asked, ['measure'])
    await ask(of, 10_000)
    t.same(of.asked, ['measure'], 'and nobody asks for what is there')
  })

  test(`whoever wants ${what} hears how far that is when it takes long, and why there will be none`, async t => {
    const of = unmeasured()
    await t.rejects(ask(of, 0), { code: 'not-ready', message: /is being made: 40 %/ })
    Object.assign(of.job, { state: 'parked', lastError: 'gave-up: the disk was broken' })
    await t.rejects(ask(of, 10_000), { code: 'measuring-failed', message: /the disk was broken/ })
  })
}

test('a vCon has the hash of the version that it shows', async t => {
  const of = unmeasured()
  of.meanwhile.done = () => { Object.assign(of.row, { version: 2, sha512: 'of another' }) }
  await t.rejects(askForVcon(of, 10_000), { code: 'not-ready', message: /just changed/ })
})
