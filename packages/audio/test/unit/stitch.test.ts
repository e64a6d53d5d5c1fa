import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { open, readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { MAX_WAV_DATA_BYTES, encodeWav, readSamples, stitch, wavHeader } from '@tacet/audio'
import type { StitchSegment } from '@tacet/audio'
import { countingSamples, mono, readSegment, stereo, tempFolder, writeSegment } from '../helpers/files.ts'

async function stitchInto (path: string, segments: StitchSegment[], signal = new AbortController().signal) {
  const output = await open(path, 'wx')
  try {
    return await stitch({ segments, output, signal })
  } finally {
    await output.close()
  }
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

t.test('segments of any lengths are joined sample for sample, and the digest is that of the file', async t => {
  const folder = await tempFolder(t)
  let run = 0
  const lengths = fc.array(fc.oneof(fc.nat(5), fc.nat(20_000)), { minLength: 1, maxLength: 6 })
  await fc.assert(fc.asyncProperty(lengths, fc.constantFrom(mono, stereo), async (lengths, format) => {
    run++
    const segments = []
    const expected: { offsetSamples: number, samples: number }[] = []
    let total = 0
    for (const [i, samples] of lengths.entries()) {
      segments.push(await writeSegment(folder, `${run}-${i}.wav`, countingSamples(samples * format.channels, total * format.channels), format))
      expected.push({ offsetSamples: total, samples })
      total += samples
    }
    const path = join(folder, `${run}.wav`)
    const result = await stitchInto(path, segments)

    const bytes = await readFile(path)
    t.ok(bytes.equals(encodeWav(format, countingSamples(total * format.channels))))
    t.same(result, { format, samples: total, fileBytes: bytes.length, sha256: sha256(bytes), segments: expected })
  }), { numRuns: 40 })
})

t.test('a segment larger than the buffers and an unfinished one are copied whole', async t => {
  const folder = await tempFolder(t)
  const large = await writeSegment(folder, 'large.wav', countingSamples(1_500_001))
  const crashedPath = join(folder, 'crashed.wav')
  const header = wavHeader(mono, 0)
  header.writeUInt32LE(0, 4)
  await writeFile(crashedPath, Buffer.concat([header, Buffer.from(countingSamples(500, 1_500_001).buffer), Buffer.from([1])]))

  const path = join(folder, 'out.wav')
  const result = await stitchInto(path, [large, await readSegment(crashedPath)])
  t.same(result.segments, [{ offsetSamples: 0, samples: 1_500_001 }, { offsetSamples: 1_500_001, samples: 500 }])
  const { wav } = await readSegment(path)
  t.ok(Buffer.from((await readSamples(path, wav)).buffer).equals(Buffer.from(countingSamples(1_500_501).buffer)))
  t.equal(result.sha256, sha256(await readFile(path)))
})

t.test('an output slower than the segments still gets every sample', async t => {
  const folder = await tempFolder(t)
  const segment = await writeSegment(folder, 'a.wav', countingSamples(2_000_000))
  const path = join(folder, 'out.wav')
  const file = await open(path, 'wx')
  t.teardown(() => file.close())
  const slow = {
    async write (bytes: Uint8Array, offset: number, length: number, position: number) {
      for (let i = 0; i < 3; i++) await readFile(segment.path)
      return file.write(bytes, offset, length, position)
    },
  } as FileHandle
  const { sha256: digest } = await stitch({ segments: [segment], output: slow })
  t.equal(digest, sha256(await readFile(path)))
})

t.test('what cannot be stitched is refused with its reason', async t => {
  const folder = await tempFolder(t)
  const a = await writeSegment(folder, 'a.wav', countingSamples(100))
  const wide = await writeSegment(folder, 'b.wav', countingSamples(100), { ...mono, sampleRateHz: 16_000 })
  await t.rejects(stitchInto(join(folder, '1.wav'), []), { code: 'no-segments' })
  await t.rejects(stitchInto(join(folder, '2.wav'), [a, wide]), { code: 'formats-differ', segmentPath: wide.path })
  const huge = { ...a, wav: { ...a.wav, samples: MAX_WAV_DATA_BYTES / 2, dataBytes: MAX_WAV_DATA_BYTES } }
  await t.rejects(stitchInto(join(folder, '3.wav'), [huge, a]), { code: 'too-large' })
})

t.test('a segment that vanished or shrank since it was measured is named', async t => {
  const folder = await tempFolder(t)
  const a = await writeSegment(folder, 'a.wav', countingSamples(100))
  const gone = { ...a, path: join(folder, 'gone.wav') }
  await t.rejects(stitchInto(join(folder, '1.wav'), [a, gone]), { code: 'segment-unreadable', segmentPath: gone.path, cause: { code: 'ENOENT' } })
  await truncate(a.path, 100)
  await t.rejects(stitchInto(join(folder, '2.wav'), [a]), { code: 'segment-unreadable', segmentPath: a.path })
})

t.test('trouble with the output is thrown as it comes', async t => {
  const folder = await tempFolder(t)
  const a = await writeSegment(folder, 'a.wav', countingSamples(100))
  const output = await open(a.path, 'r')
  t.teardown(() => output.close())
  await t.rejects(stitch({ segments: [a], output }), { code: 'EBADF' })
  const full = await open('/dev/full', 'w')
  t.teardown(() => full.close())
  await t.rejects(stitch({ segments: [a], output: full }), { code: 'ENOSPC' })
})

t.test('an aborted stitch ends with the reason given', async t => {
  const folder = await tempFolder(t)
  const a = await writeSegment(folder, 'a.wav', countingSamples(100))
  const controller = new AbortController()
  const stitching = stitchInto(join(folder, 'out.wav'), Array.from({ length: 1000 }, () => a), controller.signal)
  controller.abort(new Error('shutting down'))
  await t.rejects(stitching, { message: 'shutting down' })
})

t.test('ten hours of audio are stitched in little memory', async t => {
  const folder = await tempFolder(t)
  const path = join(folder, 'sparse.wav')
  const hour = 3600 * 8000 * 2
  await writeFile(path, wavHeader(mono, hour))
  await truncate(path, 44 + hour)
  const segment = await readSegment(path)
  t.match(segment.wav, { samples: 3600 * 8000, repairs: [] })

  const output = await open('/dev/null', 'w')
  t.teardown(() => output.close())
  const beforeKb = process.resourceUsage().maxRSS
  const result = await stitch({ segments: Array.from({ length: 10 }, () => segment), output })
  const grownKb = process.resourceUsage().maxRSS - beforeKb
  t.equal(result.samples, 10 * 3600 * 8000)
  t.ok(grownKb < 32 * 1024, `peak memory grew by ${grownKb} KiB`)
})
