import { mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { publishAtomically, removeLeftovers } from '@tacet/audio'
import { tempFolder } from '../helpers/files.ts'

t.test('a published file appears whole, with its mode, and alone', async t => {
  const folder = await tempFolder(t)
  const path = join(folder, 'recording.wav')
  await writeFile(path, 'old')
  const result = await publishAtomically(path, async file => {
    await file.write('new')
    t.equal(await readFile(path, 'utf8'), 'old', 'until then the old one is there')
    return 42
  }, { mode: 0o600 })
  t.equal(result, 42)
  t.equal(await readFile(path, 'utf8'), 'new')
  t.equal((await stat(path)).mode & 0o777, 0o600)
  t.same(await readdir(folder), ['recording.wav'])
})

t.test('a failed or aborted write leaves nothing behind', async t => {
  const folder = await tempFolder(t)
  const path = join(folder, 'recording.wav')
  await t.rejects(publishAtomically(path, async file => {
    await file.write('half')
    throw new Error('disk full')
  }), { message: 'disk full' })
  t.same(await readdir(folder), [])

  const controller = new AbortController()
  await t.rejects(publishAtomically(path, async () => controller.abort(new Error('stop')), { signal: controller.signal }), { message: 'stop' })
  t.same(await readdir(folder), [])
})

t.test('a failed move leaves nothing behind', async t => {
  const folder = await tempFolder(t)
  const path = join(folder, 'recording.wav')
  await mkdir(path)
  await t.rejects(publishAtomically(path, async file => { await file.write('x') }), { code: 'EISDIR' })
  t.same(await readdir(folder), ['recording.wav'])
})

t.test('many publishing the same path leave one whole file', async t => {
  const folder = await tempFolder(t)
  const path = join(folder, 'recording.wav')
  await Promise.all(Array.from({ length: 10 }, (_, i) => publishAtomically(path, async file => { await file.write(String(i).repeat(1000)) })))
  t.match(await readFile(path, 'utf8'), /^(\d)\1{999}$/)
  t.same(await readdir(folder), ['recording.wav'])
})

t.test('leftovers are removed, of that path only, and an attempt under way fails instead of publishing', async t => {
  const folder = await tempFolder(t)
  const begun = Promise.withResolvers<void>()
  const release = Promise.withResolvers<void>()
  const attempt = publishAtomically(join(folder, 'a.wav'), async () => {
    begun.resolve()
    await release.promise
  })
  await begun.promise
  t.equal(await removeLeftovers(join(folder, 'b.wav')), 0)
  t.equal((await readdir(folder)).length, 1)
  t.equal(await removeLeftovers(join(folder, 'a.wav')), 1)
  release.resolve()
  await t.rejects(attempt, { code: 'ENOENT' })
  t.same(await readdir(folder), [])
})
