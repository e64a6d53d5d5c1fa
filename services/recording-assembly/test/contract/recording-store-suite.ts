import { randomBytes, randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import type { Test } from 'tap'
import { LeaseLost } from '../../src/usecases/errors.ts'
import type { RecordingStore } from '../../src/usecases/ports.ts'
import { sha256 } from '../helpers/service.ts'

export interface StoreUnderTest {
  store: RecordingStore
  /** What lies about beside the files themselves. */
  leftovers (): Promise<string[]>
}

/** Larger than a part of an upload, and than several chunks, and no multiple of anything. */
const large = randomBytes(9 * 1024 * 1024 + 4_321)
const sizes = [0, 1, 65_535, 65_536, 65_537, 131_072, 200_000]

/** What every store of recordings promises. */
export async function testRecordingStore (t: Test, { store, leftovers }: StoreUnderTest): Promise<void> {
  const put = async (recordingId: string, generation: number, bytes: Buffer, file = 'recording.wav') =>
    await store.put({ recordingId, generation, file }, async handle => { await handle.writeFile(bytes) })
  const get = async (recordingId: string, generation: number, range?: { start: number, end: number }, file = 'recording.wav') =>
    await buffer(await store.read({ recordingId, generation, file }, range))
  const namesOf = async (recordingId: string) => (await store.list(recordingId)).map(({ generation, file }) => `${generation}/${file}`).sort()

  await t.test('gives back what was put, and the digest of it', async t => {
    const recordingId = randomUUID()
    await store.prepare(recordingId, 1)
    t.match(await put(recordingId, 1, large), { bytes: large.length, sha256: sha256(large) })
    t.ok(large.equals(await get(recordingId, 1)))
    t.equal(await store.size({ recordingId, generation: 1, file: 'recording.wav' }), large.length)
    for (const [index, size] of sizes.entries()) {
      const bytes = large.subarray(0, size)
      t.match(await put(recordingId, 1, bytes, `f${index}`), { bytes: size, sha256: sha256(bytes) })
      t.ok(bytes.equals(await get(recordingId, 1, undefined, `f${index}`)), `${size} bytes`)
    }
  })

  await t.test('gives any part of it, and only what there is', async t => {
    const recordingId = randomUUID()
    await store.prepare(recordingId, 1)
    await put(recordingId, 1, large)
    const ranges = [[0, 0], [0, 43], [65_535, 65_536], [65_536, 131_071], [100, 300_000], [large.length - 1, large.length - 1], [large.length - 70_000, large.length - 1], [0, large.length - 1]] as const
    for (const [start, end] of ranges) t.ok(large.subarray(start, end + 1).equals(await get(recordingId, 1, { start, end })), `${start} to ${end}`)
    await t.rejects(get(recordingId, 1, { start: large.length - 10, end: large.length }), { name: 'DependencyUnavailable' })
    await t.rejects(get(recordingId, 1, { start: 0, end: 9 }, 'nothing'), { name: 'DependencyUnavailable' })
    const stream = await store.read({ recordingId, generation: 1, file: 'recording.wav' })
    stream.destroy()
  })

  await t.test('puts all or nothing: neither what fails nor what may not be seen leaves anything', async t => {
    const recordingId = randomUUID()
    const name = { recordingId, generation: 1, file: 'recording.wav' }
    await store.prepare(recordingId, 1)
    await t.rejects(store.put(name, async file => {
      await file.writeFile('half')
      throw new LeaseLost()
    }), { name: 'LeaseLost' }, 'what the writer throws comes as it is')
    await t.rejects(store.put(name, async file => { await file.writeFile('whole') }, { confirm: async () => { throw new LeaseLost() } }), { name: 'LeaseLost' })
    await t.rejects(store.put(name, async file => { await file.writeFile('whole') }, { signal: AbortSignal.abort(new Error('stopped')) }), { message: 'stopped' })
    t.same(await store.list(recordingId), [])
    t.same(await leftovers(), [])
  })

  await t.test('replaces a file that is put again', async t => {
    const recordingId = randomUUID()
    await store.prepare(recordingId, 1)
    await put(recordingId, 1, large)
    await put(recordingId, 1, Buffer.from('another'))
    t.equal((await get(recordingId, 1)).toString(), 'another')
  })

  await t.test('lets several put the same file at once', async t => {
    const recordingId = randomUUID()
    const name = { recordingId, generation: 1, file: 'recording.wav' }
    await store.prepare(recordingId, 1)
    await put(recordingId, 1, Buffer.from('as it was'))
    await store.put(name, async (file, path) => {
      await put(recordingId, 1, Buffer.from('the quick one'))
      await writeFile(path, 'the slow one')
      return file
    })
    t.equal((await get(recordingId, 1)).toString(), 'the slow one')
  })

  await t.test('lets a writer write by path', async t => {
    const recordingId = randomUUID()
    await store.prepare(recordingId, 1)
    await store.put({ recordingId, generation: 1, file: 'recording.opus' }, async (_file, path) => { await writeFile(path, 'by path') })
    t.equal((await get(recordingId, 1, undefined, 'recording.opus')).toString(), 'by path')
  })

  await t.test('keeps generations apart, and removes the older ones when a new one is prepared, but for one to keep', async t => {
    const recordingId = randomUUID()
    for (const generation of [1, 2, 3]) {
      await store.prepare(recordingId, generation, { keep: 1 })
      await put(recordingId, generation, Buffer.from(`generation ${generation}`))
    }
    t.same(await namesOf(recordingId), ['1/recording.wav', '3/recording.wav'])
    t.equal((await get(recordingId, 1)).toString(), 'generation 1')
    await store.prepare(recordingId, 4)
    t.same(await namesOf(recordingId), [])
  })

  await t.test('discards what is not newer, of one recording alone, again and again', async t => {
    const [recordingId, other] = [randomUUID(), randomUUID()]
    for (const id of [recordingId, other]) {
      await store.prepare(id, 1)
      await put(id, 1, Buffer.from('first'))
    }
    await store.prepare(recordingId, 2, { keep: 1 })
    await put(recordingId, 2, Buffer.from('second'))
    await store.discard(recordingId, 1)
    await store.discard(recordingId, 1)
    t.same(await namesOf(recordingId), ['2/recording.wav'])
    t.equal((await get(recordingId, 2)).toString(), 'second')
    await store.discard(recordingId, 5, { keep: 2 })
    t.equal((await get(recordingId, 2)).toString(), 'second', 'but for one to keep')
    await store.discard(recordingId, 2)
    await store.discard(randomUUID(), 9)
    t.same(await namesOf(recordingId), [])
    t.same(await namesOf(other), ['1/recording.wav'])
  })

  await t.test('says that it is there', async t => {
    t.match(await store.check(), { isOk: true })
    t.same(await leftovers(), [], 'and has left nothing on its way')
  })
}
