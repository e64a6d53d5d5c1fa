import { createHash, randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { test } from 'tap'
import type { Recording } from '../../src/domain/recording.ts'
import { arrange } from '../../src/domain/arrangement.ts'
import { buildTimeline } from '../../src/domain/timeline.ts'
import { createExportVcon } from '../../src/usecases/export-vcon.ts'
import { samplesPerPixelOf } from '../../src/usecases/read-peaks.ts'
import { manifestOf } from '../helpers/manifest.ts'

test('however many ask for an export, the audio is read once for its hash', async t => {
  const manifest = manifestOf([])
  const timeline = buildTimeline(manifest, { outcome: 'complete', reasons: [] }, [], arrange(manifest, 1, []), null)
  const row = { recordingId: randomUUID(), manifest, status: 'complete', version: 1, storedGeneration: 1, sha256: 'a', sha512: null as string | null, deletedAt: null, purge: null } as unknown as Recording
  let reads = 0
  const exportVcon = createExportVcon({
    recordings: { find: async () => ({ ...row }), noteSha512: async (_recording, sha512) => { row.sha512 = sha512 } },
    store: {
      async read ({ file }) {
        if (file === 'timeline.json') return Readable.from([Buffer.from(JSON.stringify(timeline))])
        reads++
        return Readable.from([Buffer.from('the audio')])
      },
    },
  })
  const ask = async () => (await exportVcon(row.recordingId, { kind: 'all' }, 'https://x.example')).dialog[0]?.content_hash
  const hash = `sha512-${createHash('sha512').update('the audio').digest('base64url')}`
  t.same(await Promise.all([ask(), ask()]), [hash, hash])
  t.equal(await ask(), hash)
  t.equal(reads, 1)
})

test('the waveform that is kept has a bounded number of pixels, however long the recording', t => {
  t.equal(samplesPerPixelOf(0), 256)
  t.equal(samplesPerPixelOf(100_000 * 256), 256)
  for (const hours of [1, 10, 100]) {
    const samples = hours * 3600 * 16_000
    t.ok(samples / samplesPerPixelOf(samples) <= 100_000 && samples / samplesPerPixelOf(samples) > 50_000, `${hours} h`)
  }
  t.end()
})
