import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type Test } from 'tap'
import { createFolderRecordingStore } from '../../src/adapters/folder-recording-store.ts'
import type { WriteFile } from '../../src/usecases/ports.ts'

const MIB = 1024 * 1024
const block = Buffer.alloc(MIB, 7)
const name = { recordingId: '01990000-0000-7000-8000-000000000009', generation: 1, file: 'recording.wav' }
const sha256 = 'of what the writer has read'

async function storeIn (t: Test) {
  const folder = await mkdtemp(join(tmpdir(), 'tacet-behind-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const store = createFolderRecordingStore({ recordingsDir: folder })
  await store.prepare(name.recordingId, 1)
  return { store, files: async () => await readdir(join(folder, name.recordingId.slice(0, 2), name.recordingId, '1')) }
}

/** 32 MiB, and `sync` in place of what the disk does meanwhile. */
const writing = (sync: () => Promise<void>): WriteFile<number> => async (file, _path, onWritten) => {
  file.datasync = sync
  for (let mib = 1; mib <= 32; mib++) {
    await file.write(block)
    onWritten(mib * MIB)
  }
  return 32 * MIB
}

test('the disk takes what is written while more is written, one stretch after another', async t => {
  const { store } = await storeIn(t)
  const { promise: isWritten, resolve: end } = Promise.withResolvers<void>()
  let [begun, atOnce, most] = [0, 0, 0]
  let begunMeanwhile = 0
  await store.put(name, async (...args) => {
    await writing(async () => {
      begun++
      most = Math.max(most, ++atOnce)
      await isWritten
      atOnce--
    })(...args)
    begunMeanwhile = begun
    end()
  })
  t.equal(begunMeanwhile, 1)
  t.equal(begun, 4, 'for 32 MiB')
  t.equal(most, 1)
})

test('what the disk has lost meanwhile is not forgotten because the last sync succeeds', async t => {
  const { store, files } = await storeIn(t)
  let syncs = 0
  const refusal = store.put(name, writing(async () => {
    if (++syncs === 1) throw Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO', syscall: 'fdatasync' })
  }))
  await t.rejects(refusal, { name: 'DependencyUnavailable', dependency: 'store', cause: { code: 'EIO' } })
  t.same(await files(), [])
})

test('what the writer has read back itself is not read again, but for its length', async t => {
  const { store, files } = await storeIn(t)
  const put = (bytesMissing: number) => store.put(name, writing(async () => {}), { readBack: bytes => ({ bytes: bytes + bytesMissing, sha256 }) })
  await t.rejects(put(1), { name: 'DependencyUnavailable', dependency: 'store' })
  t.same(await files(), [])
  t.same(await put(0), { result: 32 * MIB, bytes: 32 * MIB, sha256 })
})
