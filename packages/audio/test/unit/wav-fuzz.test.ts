import fc from 'fast-check'
import t from 'tap'
import { encodeWav, readWav, wavHeader } from '@tacet/audio'
import { countingSamples, mono } from '../helpers/files.ts'
import { fuzzing, isSound, readGuarded } from '../helpers/fuzzing.ts'

const { count, seed, name } = fuzzing({ count: 3000 })
t.setTimeout(30_000 + 10 * count)

const extreme = fc.constantFrom(0, 1, 2, 15, 16, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF8, 0xFFFFFFFE, 0xFFFFFFFF)
const mutation = fc.oneof(
  fc.record({ kind: fc.constant('byte' as const), at: fc.nat(47), value: fc.nat(255) }),
  fc.record({ kind: fc.constant('size' as const), at: fc.constantFrom(4, 16, 24, 40), value: fc.oneof(extreme, fc.nat(300)) }),
  fc.record({ kind: fc.constant('cut' as const), at: fc.nat(300), value: fc.constant(0) }),
  fc.record({ kind: fc.constant('insert' as const), at: fc.nat(60), value: fc.nat(255) })
)

t.test(`a mutated header is read to a sound result or a typed fault, never outside of the file: ${name}`, async () => {
  await fc.assert(fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 6 }), async mutations => {
    let bytes = encodeWav(mono, countingSamples(100))
    for (const { kind, at, value } of mutations) {
      if (kind === 'cut') bytes = bytes.subarray(0, at)
      else if (kind === 'insert') bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from([value]), bytes.subarray(at)])
      else if (kind === 'byte' && at < bytes.length) bytes[at] = value
      else if (kind === 'size' && at + 4 <= bytes.length) bytes.writeUInt32LE(value, at)
    }
    return isSound(await readGuarded(bytes), bytes.length)
  }), { numRuns: count, seed })
})

t.test(`any bytes after a RIFF head are read to a sound result or a typed fault: ${name}`, async () => {
  await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async tail => {
    const bytes = Buffer.concat([Buffer.from('RIFF\0\0\0\0WAVE', 'latin1'), tail])
    return isSound(await readGuarded(bytes), bytes.length) && isSound(await readGuarded(tail), tail.length)
  }), { numRuns: Math.ceil(count / 3), seed })
})

t.test('a crashed recording of any length is read to its last whole sample', async () => {
  await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 1000 }), fc.constantFrom(0, 0xFFFFFFFF), async (data, size) => {
    const header = wavHeader(mono, 0)
    header.writeUInt32LE(0, 4)
    header.writeUInt32LE(size, 40)
    const answer = await readWav(Buffer.concat([header, data]))
    return answer.ok && answer.samples === Math.floor(data.length / 2) && answer.repairs[0] === 'unfinished-header'
  }), { seed })
})

t.test('a file of nothing but empty chunks is given up after a few', async t => {
  const bytes = Buffer.concat([wavHeader(mono, 0).subarray(0, 12), Buffer.alloc(8 * 10_000)])
  t.match(await readGuarded(bytes), { ok: false, fault: 'truncated-header' })
})
