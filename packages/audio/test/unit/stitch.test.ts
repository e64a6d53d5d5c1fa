import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { open, readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { MAX_WAV_DATA_BYTES, encodeWav, gainsOf, layOut, readSamples, stitch, wavHeader } from '@tacet/audio'
import type { Layout, StitchSegment, StitchTrack, WavFormat } from '@tacet/audio'
import { countingSamples, mono, readSegment, stereo, tempFolder, writeSegment } from '../helpers/files.ts'

const alone = (track: StitchTrack): StitchSegment => ({ tracks: [track] })

async function stitchInto (path: string, tracks: StitchTrack[], signal = new AbortController().signal) {
  const output = await open(path, 'wx')
  try {
    return await stitch({ segments: tracks.map(alone), output, signal })
  } finally {
    await output.close()
  }
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

/** What the recording should be, from the layout alone: whole arrays, no streams. */
function expectedOf (segments: Int16Array[], layout: Layout, { channels, sampleRateHz }: WavFormat): Int16Array {
  const all = new Int16Array(layout.samples * channels)
  for (const [index, { offsetSamples, samples, fadeInSamples, fadeOutSamples }] of layout.segments.entries()) {
    for (let i = 0; i < samples * channels; i++) {
      const frame = Math.floor(i / channels)
      const fromEdge = frame < fadeInSamples ? frame : samples - 1 - frame
      const length = frame < fadeInSamples ? fadeInSamples : fadeOutSamples
      const gain = fromEdge < length ? Math.sin((fromEdge + 0.5) / length * Math.PI / 2) ** 2 : 1
      all[offsetSamples * channels + i] = Math.round(segments[index]![i]! * gain)
    }
  }
  for (const { offsetSamples, samples } of layout.fills.filter(({ kind }) => kind === 'tone')) {
    const edge = Math.min(sampleRateHz / 200, Math.floor(samples / 2))
    for (let i = 0; i < samples * channels; i++) {
      const frame = Math.floor(i / channels)
      const fromEdge = Math.min(frame, samples - 1 - frame)
      const gain = fromEdge < edge ? Math.sin((fromEdge + 0.5) / edge * Math.PI / 2) ** 2 : 1
      all[offsetSamples * channels + i] = Math.round(Math.round(32768 * 10 ** -0.9 * Math.sin(2 * Math.PI * 1000 * frame / sampleRateHz)) * gain)
    }
  }
  return all
}

t.test('segments of any lengths are joined sample for sample in each gap mode, and the digest is that of the file', async t => {
  const folder = await tempFolder(t)
  let run = 0
  const lengths = fc.array(fc.oneof(fc.nat(5), fc.nat(20_000)), { minLength: 1, maxLength: 6 })
  await fc.assert(fc.asyncProperty(lengths, fc.constantFrom(mono, stereo), fc.constantFrom('remove', 'silence', 'tone'), fc.nat(900), async (lengths, format, mode, gapMs) => {
    run++
    const audio = lengths.map((samples, i) => countingSamples(samples * format.channels, i * 7_000))
    const tracks = []
    for (const [i, samples] of audio.entries()) tracks.push(await writeSegment(folder, `${run}-${i}.wav`, samples, format))
    let atMs = 1_000
    const times = lengths.map(samples => {
      const startedAtMs = atMs
      atMs += samples / format.sampleRateHz * 1000 + gapMs
      return { samples, requestedAtMs: startedAtMs - 5, startedAtMs }
    })
    const gaps = times.slice(1).map(({ startedAtMs }) => ({ startedAtMs: startedAtMs - gapMs, endedAtMs: startedAtMs }))
    const layout = layOut({ mode, sampleRateHz: format.sampleRateHz, segments: times, gaps })
    if (layout.samples === 0) return

    const path = join(folder, `${run}.wav`)
    const output = await open(path, 'wx+')
    const result = await stitch({ segments: tracks.map(alone), layout, output, isReadBack: run % 2 === 0 }).finally(() => output.close())
    const bytes = await readFile(path)
    const expected = encodeWav(format, expectedOf(audio, layout, format))
    t.ok(bytes.equals(expected))
    t.same(result, { format, samples: layout.samples, fileBytes: bytes.length, sha256: sha256(expected), layout })
  }), { numRuns: 60 })
})

t.test('a single segment is copied as it is', async t => {
  const folder = await tempFolder(t)
  const track = await writeSegment(folder, 'a.wav', countingSamples(3_000))
  await stitchInto(join(folder, 'out.wav'), [track])
  t.ok((await readFile(track.path)).equals(await readFile(join(folder, 'out.wav'))))
})

t.test('two tracks become left and right; one that began later or ended earlier is faded there and filled up', async t => {
  const folder = await tempFolder(t)
  const path = join(folder, 'out.wav')
  await fc.assert(fc.asyncProperty(fc.nat(600_000), fc.nat(600_000), fc.nat(300), fc.boolean(), async (left, right, lead, isLeftLate) => {
    const [a, b] = [countingSamples(left), countingSamples(right, 5_000)]
    const leads = isLeftLate ? [lead, 0] as const : [0, lead] as const
    const one = { ...await writeSegment(folder, 'in.wav', a), leadSamples: leads[0] }
    const other = { ...await writeSegment(folder, 'out-track.wav', b), leadSamples: leads[1] }
    const output = await open(path, 'w')
    const { format, samples } = await stitch({ segments: [{ tracks: [one, other] }], output }).finally(() => output.close())
    t.equal(samples, Math.max(left + leads[0], right + leads[1]))
    t.equal(format.channels, 2)
    const found = await readSamples(path, (await readSegment(path)).wav)
    const gains = [a, b].map((side, index) => gainsOf({
      samples: side.length,
      fadeInSamples: leads[index]! > 0 ? Math.min(40, Math.floor(side.length / 2)) : 0,
      fadeOutSamples: leads[index]! + side.length < samples ? Math.min(40, Math.floor(side.length / 2)) : 0,
    }))
    const at = (side: number, i: number) => i < 0 || i >= [a, b][side]!.length ? 0 : Math.round([a, b][side]![i]! * gains[side]![i]!)
    const expected = Int16Array.from({ length: 2 * samples }, (_, i) => at(i % 2, Math.floor(i / 2) - leads[i % 2]!))
    t.ok(Buffer.from(found.buffer).equals(Buffer.from(expected.buffer)))
  }), { numRuns: 12 })
})

t.test('a part of a file can be taken', async t => {
  const folder = await tempFolder(t)
  const track = await writeSegment(folder, 'a.wav', countingSamples(2_000), stereo)
  const path = join(folder, 'out.wav')
  const { samples } = await stitchInto(path, [{ ...track, fromSample: 300, samples: 400 }])
  t.equal(samples, 400)
  t.same(await readSamples(path, (await readSegment(path)).wav), countingSamples(2_000).subarray(600, 1_400))
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
  t.match(result.layout.segments, [{ offsetSamples: 0, samples: 1_500_001, fadeInSamples: 0, fadeOutSamples: 40 }, { offsetSamples: 1_500_001, samples: 500, fadeInSamples: 40, fadeOutSamples: 0 }])
  const { wav } = await readSegment(path)
  const expected = expectedOf([countingSamples(1_500_001), countingSamples(500, 1_500_001)], result.layout, mono)
  t.ok(Buffer.from((await readSamples(path, wav)).buffer).equals(Buffer.from(expected.buffer)))
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
  const { sha256: digest } = await stitch({ segments: [alone(segment)], output: slow })
  t.equal(digest, sha256(await readFile(path)))
})

t.test('what cannot be stitched is refused with its reason', async t => {
  const folder = await tempFolder(t)
  const a = await writeSegment(folder, 'a.wav', countingSamples(100))
  const wide = await writeSegment(folder, 'b.wav', countingSamples(100), { ...mono, sampleRateHz: 16_000 })
  await t.rejects(stitchInto(join(folder, '1.wav'), []), { code: 'no-segments' })
  await t.rejects(stitchInto(join(folder, '2.wav'), [a, wide]), { code: 'formats-differ', segmentPath: wide.path })
  const output = await open(join(folder, '4.wav'), 'wx')
  t.teardown(() => output.close())
  await t.rejects(stitch({ segments: [{ tracks: [a, wide] }], output }), { code: 'formats-differ', segmentPath: wide.path })
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

t.test('an output that does not give back what was written to it is found out', async t => {
  const folder = await tempFolder(t)
  const segment = await writeSegment(folder, 'a.wav', new Int16Array(1_000_000))
  const file = await open(join(folder, 'out.wav'), 'wx+')
  t.teardown(() => file.close())
  const bad = (spoil: (bytes: Uint8Array, position: number) => Promise<unknown>) => ({
    async write (bytes: Uint8Array, offset: number, length: number, position: number) {
      const written = await file.write(bytes, offset, length, position)
      if (position > 44) await spoil(Uint8Array.of(bytes[0]! ^ 1), position)
      return written
    },
    read: file.read.bind(file),
  }) as unknown as FileHandle
  const spoilers = { 'a bit is turned': (byte: Uint8Array, position: number) => file.write(byte, 0, 1, position), 'the end is missing': () => file.truncate(1_100_000) }
  for (const [what, spoil] of Object.entries(spoilers)) {
    const stitching = stitch({ segments: [alone(segment)], output: bad(spoil), isReadBack: true })
    await t.rejects(stitching, { name: 'StitchError', code: 'output-differs' }, what)
  }
})

t.test('trouble with the output is thrown as it comes', async t => {
  const folder = await tempFolder(t)
  const a = await writeSegment(folder, 'a.wav', countingSamples(100))
  const output = await open(a.path, 'r')
  t.teardown(() => output.close())
  await t.rejects(stitch({ segments: [alone(a)], output }), { code: 'EBADF' })
  const full = await open('/dev/full', 'w')
  t.teardown(() => full.close())
  await t.rejects(stitch({ segments: [alone(a)], output: full }), { code: 'ENOSPC' })
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
  const result = await stitch({ segments: Array.from({ length: 10 }, () => alone(segment)), output })
  const grownKb = process.resourceUsage().maxRSS - beforeKb
  t.equal(result.samples, 10 * 3600 * 8000)
  t.ok(grownKb < 32 * 1024, `peak memory grew by ${grownKb} KiB`)
})
