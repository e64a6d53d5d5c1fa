import { mkdir, mkdtemp, open, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test } from 'tap'
import { encodeWav, readWavFile, stitch } from '@tacet/audio'
import { createEncryptedRecordingStore } from '../../src/adapters/encrypted-recording-store.ts'
import { createFfmpeg } from '../../src/adapters/ffmpeg.ts'
import { createFolderRecordingStore } from '../../src/adapters/folder-recording-store.ts'
import type { DataKeys } from '../../src/adapters/postgres-data-keys.ts'
import { countingSamples } from '../helpers/service.ts'

const wav = encodeWav({ sampleRateHz: 8000, channels: 1, bitsPerSample: 16 }, countingSamples(80_000))

for (const kind of ['a plain', 'an encrypted'] as const) {
  test(`a disk that fills up while ${kind} recording is written makes its job wait, and leaves no half of it`, async t => {
    const folder = await mkdtemp(join(tmpdir(), 'tacet-full-'))
    t.teardown(() => rm(folder, { recursive: true, force: true }))
    const plain = createFolderRecordingStore({ recordingsDir: folder })
    const keys = { isOn: true, find: async () => Buffer.alloc(32), make: async () => {}, destroy: async () => {} } as Partial<DataKeys> as DataKeys
    const store = kind === 'a plain' ? plain : createEncryptedRecordingStore({ store: plain, keys, recordingsDir: folder })
    const [recordingId, generation] = ['01990000-0000-7000-8000-000000000009', 1]
    await store.prepare(recordingId, generation)
    await mkdir(join(folder, 'spool'))
    const path = join(folder, 'spool', 'segment.wav')
    await writeFile(path, wav)
    const segment = await readWavFile(path)
    if (!segment.ok) throw new Error(segment.detail)

    const refusal = await store.put({ recordingId, generation, file: 'recording.wav' }, async () => {
      const full = await open('/dev/full', 'w')
      return await stitch({ segments: [{ tracks: [{ path, wav: segment }] }], output: full }).finally(() => full.close())
    }).catch(error => error)
    t.match(refusal, { name: 'DependencyUnavailable', dependency: 'store', cause: { code: 'ENOSPC' } })
    t.same(await readdir(join(folder, recordingId.slice(0, 2), recordingId, '1')), [])
    t.same(await readdir(join(folder, '.work')).catch(() => []), [])
  })
}

test('so does one that fills up while another format is written', async t => {
  const refusal = await createFfmpeg({ path: 'ffmpeg' }).encode({
    input: Readable.from([wav]), output: '/dev/full', format: 'flac', channels: 1, durationMs: 10_000, tags: {}, signal: new AbortController().signal, onProgress: () => {},
  }).catch(error => error)
  t.match(refusal, { name: 'DependencyUnavailable', dependency: 'store', message: /No space left/ })
})

test('what is no audio is refused by ffmpeg with its own words, and a stop is a stop', async t => {
  const encoder = createFfmpeg({ path: 'ffmpeg' })
  const options = { output: '/dev/null', format: 'mp3', channels: 1, durationMs: 10_000, tags: {}, onProgress: () => {} } as const
  await t.rejects(encoder.encode({ ...options, input: Readable.from([Buffer.from('no audio')]), signal: new AbortController().signal }), { message: /ffmpeg ended with \d+: .*invalid/i })
  const stopping = new AbortController()
  const endless = Readable.from((function * () {
    yield wav
    for (;;) yield Buffer.alloc(65_536)
  })())
  const encoding = encoder.encode({ ...options, input: endless, signal: stopping.signal })
  setImmediate(() => stopping.abort(new Error('the service stops')))
  await t.rejects(encoding, { message: 'the service stops' })
  await t.rejects(encoder.encode({ ...options, input: new Readable({ read () { this.destroy(new Error('the store is away')) } }), signal: new AbortController().signal }), { message: 'the store is away' })
})
