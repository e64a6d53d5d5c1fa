import { open, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { encodeWav, readWav, readWavFile, stitch, type StitchTrack, type WavFormat } from '@tacet/audio'
import { countingSamples, mono, stereo, tempFolder } from '../helpers/files.ts'
import { fuzzing, isSound, readGuarded } from '../helpers/fuzzing.ts'

const { count, seed, name } = fuzzing({ count: 300 })
t.setTimeout(30_000 + 60 * count)

/** What crashes, full disks and odd writers make of a file: of its header above all, but anywhere. */
const change = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('byte' as const), at: fc.nat(60), value: fc.nat(255) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('byte' as const), at: fc.nat(5_000), value: fc.nat(255) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('size' as const), at: fc.constantFrom(4, 16, 22, 24, 32, 40), value: fc.oneof(fc.constantFrom(0, 1, 2, 15, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF), fc.nat(6_000)) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('cut' as const), at: fc.oneof(fc.constant(0), fc.nat(60), fc.nat(6_000)), value: fc.constant(0) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('zeros' as const), at: fc.nat(4_000), value: fc.nat(2_000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('insert' as const), at: fc.nat(60), value: fc.nat(255) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('append' as const), at: fc.nat(300), value: fc.nat(255) }) }
)
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never

function apply (bytes: Buffer, { kind, at, value }: Change): Buffer {
  const changed = Buffer.from(bytes)
  switch (kind) {
    case 'byte': if (at < changed.length) changed[at] = value; return changed
    case 'size': if (at + 4 <= changed.length) changed.writeUInt32LE(value, at); return changed
    case 'cut': return changed.subarray(0, at)
    case 'zeros': return changed.fill(0, Math.min(at, changed.length), Math.min(at + value, changed.length))
    case 'insert': return Buffer.concat([changed.subarray(0, at), Buffer.from([value]), changed.subarray(at)])
    case 'append': return Buffer.concat([changed, Buffer.alloc(at, value)])
  }
}

async function stitchTo (path: string, track: StitchTrack): Promise<{ format: WavFormat, samples: number }> {
  const output = await open(path, 'w')
  return await stitch({ segments: [{ tracks: [track] }], output }).finally(() => output.close())
}

t.test(`a torn or mutated file is refused by a typed fault, or stitched to just the samples that are in it, and never read outside: ${name}`, async t => {
  const folder = await tempFolder(t)
  const [path, output] = [join(folder, 'torn.wav'), join(folder, 'out.wav')]
  const found = new Map<string, number>()
  await fc.assert(fc.asyncProperty(fc.constantFrom(mono, stereo), fc.nat(2_000), fc.array(change, { minLength: 1, maxLength: 4 }), async (format, samples, changes) => {
    const bytes = changes.reduce(apply, encodeWav(format, countingSamples(samples * format.channels)))
    await writeFile(path, bytes)
    const wav = await readWavFile(path)
    found.set(wav.ok ? wav.repairs.join('+') || 'whole' : wav.fault, (found.get(wav.ok ? wav.repairs.join('+') || 'whole' : wav.fault) ?? 0) + 1)
    if (!isSound(wav, bytes.length) || !isDeepStrictEqual(await readGuarded(bytes), wav)) return false
    if (!wav.ok) return true
    if (wav.samples === 0) return true
    const stitched = await stitchTo(output, { path, wav })
    const result = await readFile(output)
    const again = await readWav(result)
    return again.ok && again.repairs.length === 0 && again.samples === wav.samples && stitched.samples === wav.samples &&
      result.subarray(44).equals(bytes.subarray(wav.dataOffset, wav.dataOffset + wav.dataBytes))
  }), { numRuns: count, seed, endOnFailure: true })
  for (const kind of ['whole', 'data-cut-short', 'unfinished-header', 'not-wav', 'truncated-header', 'unsupported-format', 'empty']) t.ok(found.has(kind) || count < 300, `there was one that is ${kind}`)
})

t.test(`a file that shrinks after it was measured is noticed, never filled up: ${name}`, async t => {
  const folder = await tempFolder(t)
  const path = join(folder, 'shrinking.wav')
  await fc.assert(fc.asyncProperty(fc.integer({ min: 1, max: 2_000 }), fc.nat(4_000), async (samples, cut) => {
    const bytes = encodeWav(mono, countingSamples(samples))
    await writeFile(path, bytes)
    const wav = await readWavFile(path)
    if (!wav.ok) return false
    await writeFile(path, bytes.subarray(0, Math.min(cut, bytes.length - 1)))
    const refusal = await stitchTo(join(folder, 'out.wav'), { path, wav }).catch(error => error)
    return refusal.code === 'segment-unreadable'
  }), { numRuns: Math.ceil(count / 10), seed })
})
