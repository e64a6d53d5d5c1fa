import { randomUUID } from 'node:crypto'
import { access, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type Test } from 'tap'
import { encodeWav } from '@tacet/audio'
import type { TrackFile } from '@tacet/contracts'
import { readStack } from '@tacet/test-kit'
import { createAriSegmentSource } from '../../src/adapters/ari-segment-source.ts'
import { createFolderSegmentSource } from '../../src/adapters/folder-segment-source.ts'
import { DependencyUnavailable } from '../../src/usecases/errors.ts'
import type { SegmentSource } from '../../src/usecases/ports.ts'

const { ari, spoolDir } = readStack()
if (spoolDir === null) throw new Error('the stack does not share its spool: these tests put files there')

const never = new AbortController().signal

async function tempFolder (t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tacet-assembly-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}

interface Case {
  source: SegmentSource
  /** The folder `recording` that Asterisk writes to. */
  recordingDir: string
}

const sources: Record<string, (t: Test) => Promise<Case>> = {
  'the shared folder': async t => {
    const spool = await tempFolder(t)
    await mkdir(join(spool, 'recording/tacet'), { recursive: true })
    return { source: createFolderSegmentSource({ spoolDir: spool }), recordingDir: join(spool, 'recording') }
  },
  'the shared folder recording': async t => {
    const recordingDir = await tempFolder(t)
    await mkdir(join(recordingDir, 'tacet'))
    return { source: createFolderSegmentSource({ spoolDir: recordingDir }), recordingDir }
  },
  'ARI\'s stored recordings': async t => {
    const source = createAriSegmentSource(ari)
    t.teardown(() => source.close())
    return { source, recordingDir: spoolDir }
  },
}

const fileOf = (format: TrackFile['format'] = 'wav'): TrackFile => ({ track: 'mix', name: `tacet/tacet-${randomUUID()}-1`, format, sampleRateHz: format === 'wav' ? 8000 : 16000 })

for (const [name, open] of Object.entries(sources)) {
  test(`${name} as a source of segments`, async t => {
    const { source, recordingDir } = await open(t)
    const put = async (file: TrackFile, bytes: Buffer): Promise<string> => {
      const path = join(recordingDir, `${file.name}.${file.format}`)
      await writeFile(path, bytes)
      t.teardown(() => rm(path, { force: true }))
      return path
    }

    t.test('a segment arrives byte for byte, in both formats', async t => {
      for (const format of ['wav', 'wav16'] as const) {
        const file = fileOf(format)
        const bytes = encodeWav({ sampleRateHz: file.sampleRateHz, channels: 1, bitsPerSample: 16 }, Int16Array.from({ length: 200_000 }, (_, i) => i % 30_000))
        await put(file, bytes)
        const path = await source.fetch(file, await tempFolder(t), never)
        t.ok(path !== null && bytes.equals(await readFile(path)), format)
      }
    })

    t.test('a torn file arrives as it is', async t => {
      const empty = fileOf()
      await put(empty, Buffer.alloc(0))
      const emptyPath = await source.fetch(empty, await tempFolder(t), never)
      t.ok(emptyPath !== null && (await readFile(emptyPath)).length === 0, 'no bytes')
      const torn = fileOf()
      const bytes = encodeWav({ sampleRateHz: 8000, channels: 1, bitsPerSample: 16 }, new Int16Array(500)).subarray(0, 777)
      await put(torn, bytes)
      const tornPath = await source.fetch(torn, await tempFolder(t), never)
      t.ok(tornPath !== null && bytes.equals(await readFile(tornPath)), 'cut in the middle of a sample')
    })

    t.test('a file that is not there is positively missing', async t => {
      t.equal(await source.fetch(fileOf(), await tempFolder(t), never), null)
    })

    t.test('a file is deleted once, and deleting it again is fine', async t => {
      const file = fileOf()
      const path = await put(file, Buffer.from('RIFF'))
      await source.remove(file, never)
      await t.rejects(access(path), { code: 'ENOENT' })
      await source.remove(file, never)
    })

    t.test('it says that it can be reached', async t => {
      t.match(await source.check(), { isOk: true })
    })
  })
}

test('a shared folder that is away makes nothing missing', async t => {
  const spool = await tempFolder(t)
  await mkdir(join(spool, 'recording/tacet'), { recursive: true })
  const source = createFolderSegmentSource({ spoolDir: spool })
  await rename(join(spool, 'recording'), join(spool, 'elsewhere'))
  await t.rejects(source.fetch(fileOf(), spool, never), DependencyUnavailable)
  await t.rejects(source.remove(fileOf(), never), DependencyUnavailable)
  await t.rejects(source.check(), DependencyUnavailable)
})

test('a PBX that is away, forbids or answers strangely makes nothing missing', async t => {
  const workDir = await tempFolder(t)
  const answers: Record<string, (respond: (status: number, headers: object, body: string) => void) => void> = {
    'HTTP without ARI': respond => respond(404, { 'content-type': 'text/html' }, '<h1>Not Found</h1>'),
    'ARI without its recordings module': respond => respond(404, { 'content-type': 'application/json' }, '{"message":"Resource not found"}'),
    'a wrong password': respond => respond(401, { 'content-type': 'application/json' }, '{"error":"Unauthorized"}'),
    'a server that fails': respond => respond(503, {}, ''),
    'a body that is cut short': respond => respond(200, { 'content-length': '1000' }, 'RIFF'),
  }
  for (const [name, answer] of Object.entries(answers)) {
    const server = createServer((_request, response) => answer((status, headers, body) => {
      response.writeHead(status, { ...headers })
      response.write(body, () => status === 200 ? response.destroy() : response.end())
    }))
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const source = createAriSegmentSource({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, username: 'a', password: 'b' })
    await t.rejects(source.fetch(fileOf(), workDir, never), DependencyUnavailable, name)
    if (!name.startsWith('a body')) await t.rejects(source.remove(fileOf(), never), DependencyUnavailable, `${name}, deleting`)
    await source.close()
    await new Promise(resolve => server.close(resolve))
  }
  const nobody = createAriSegmentSource({ url: 'http://127.0.0.1:1', username: 'a', password: 'b' })
  await t.rejects(nobody.fetch(fileOf(), workDir, never), DependencyUnavailable, 'nobody listens')
  await nobody.close()
})

test('the PBX refuses a wrong password', async t => {
  const source = createAriSegmentSource({ ...ari, password: 'wrong' })
  t.teardown(() => source.close())
  await t.rejects(source.fetch(fileOf(), await tempFolder(t), never), DependencyUnavailable)
})
