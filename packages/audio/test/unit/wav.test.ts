import { open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { MAX_WAV_DATA_BYTES, WAV_HEADER_BYTES, encodeWav, readSamples, readWav, readWavFile, wavHeader } from '@tacet/audio'
import type { Wav } from '@tacet/audio'
import { countingSamples, mono, stereo, tempFolder } from '../helpers/files.ts'

const whole = () => encodeWav(mono, countingSamples(100))

function changed (change: (bytes: Buffer) => void): Buffer {
  const bytes = whole()
  change(bytes)
  return bytes
}

const unfinished = (bytes: Buffer) => changed32(changed32(bytes, 4, 0), 40, 0)

function changed32 (bytes: Buffer, position: number, value: number): Buffer {
  bytes.writeUInt32LE(value, position)
  return bytes
}

function chunk (id: string, body: Buffer): Buffer {
  const header = Buffer.alloc(8)
  header.write(id, 'latin1')
  header.writeUInt32LE(body.length, 4)
  return Buffer.concat([header, body, Buffer.alloc(body.length % 2)])
}

t.test('what is written is read back, from bytes and from a file', async t => {
  const folder = await tempFolder(t)
  for (const format of [mono, stereo]) {
    const samples = countingSamples(5000)
    const bytes = encodeWav(format, samples)
    const expected: Wav = { ok: true, format, dataOffset: 44, dataBytes: 10_000, samples: 5000 / format.channels, repairs: [] }
    t.same(await readWav(bytes), expected)

    const path = join(folder, 'a.wav')
    await writeFile(path, bytes)
    const file = await open(path)
    t.same(await readWav(file), expected)
    await file.close()
    t.same(await readSamples(path, expected), samples)
    t.same(await readSamples(path, expected, 10, 2), samples.subarray(10 * format.channels, 12 * format.channels))
    t.same(await readSamples(path, expected, expected.samples - 1, 5), samples.subarray(-format.channels), 'no further than the data')
  }
})

t.test('data of a recorder that never wrote its sizes reach to the end of the file', async t => {
  const repaired = { ok: true, dataBytes: 200, samples: 100, repairs: ['unfinished-header'] }
  t.match(await readWav(unfinished(whole())), repaired)
  t.match(await readWav(changed32(whole(), 40, 0xFFFFFFFF)), repaired)
  t.match(await readWav(changed32(whole(), 40, 0)), { ok: true, samples: 0, repairs: [] }, 'but a 0 is believed where the RIFF size agrees with the file')
})

t.test('data that are shorter than the header says are used as far as they go', async t => {
  t.match(await readWav(whole().subarray(0, 44 + 150)), { ok: true, dataBytes: 150, samples: 75, repairs: ['data-cut-short'] })
  t.match(await readWav(changed32(whole(), 40, 0xFFFFFFFE)), { ok: true, dataBytes: 200, repairs: ['data-cut-short'] })
})

t.test('a sample that was cut in the middle is left out', async t => {
  t.match(await readWav(unfinished(whole()).subarray(0, 44 + 151)), { dataBytes: 150, samples: 75, repairs: ['unfinished-header', 'partial-sample'] })
  t.match(await readWav(whole().subarray(0, 44 + 1)), { dataBytes: 0, samples: 0, repairs: ['data-cut-short', 'partial-sample'] })
  const stereoBytes = encodeWav(stereo, countingSamples(100))
  t.match(await readWav(stereoBytes.subarray(0, 44 + 198)), { dataBytes: 196, samples: 49, repairs: ['data-cut-short', 'partial-sample'] })
})

t.test('a header alone is a WAV of no samples, and tells whether it was finished', async t => {
  t.match(await readWav(wavHeader(mono, 0)), { ok: true, dataOffset: 44, dataBytes: 0, samples: 0, repairs: [] })
  t.match(await readWav(changed32(wavHeader(mono, 0), 4, 0)), { ok: true, samples: 0, repairs: ['unfinished-header'] })
})

t.test('other chunks are skipped, with their padding, before and after the data', async t => {
  const bytes = whole()
  const listed = Buffer.concat([bytes.subarray(0, 12), chunk('LIST', Buffer.from('odd')), bytes.subarray(12), chunk('LIST', Buffer.alloc(10))])
  t.match(await readWav(listed), { ok: true, dataOffset: 44 + 12, dataBytes: 200, repairs: [] })
})

t.test('an extensible header with PCM inside is PCM', async t => {
  const body = Buffer.alloc(40)
  whole().copy(body, 0, 20, 36)
  body.writeUInt16LE(0xFFFE, 0)
  body.writeUInt16LE(1, 24)
  const extensible = Buffer.concat([whole().subarray(0, 12), chunk('fmt ', body), whole().subarray(36)])
  t.match(await readWav(extensible), { ok: true, format: mono, samples: 100 })
  t.match(await readWav(changed32(extensible, 44, 3)), { ok: false, fault: 'unsupported-format' })
})

t.test('what cannot be read is answered with its fault', async t => {
  const cases: [string, Buffer, string][] = [
    ['no bytes', Buffer.alloc(0), 'empty'],
    ['zeros', Buffer.alloc(1000), 'not-wav'],
    ['text', Buffer.from('hello, this is not audio at all'), 'not-wav'],
    ['another RIFF form', changed(bytes => bytes.write('AVI ', 8)), 'not-wav'],
    ['data before the format', Buffer.concat([whole().subarray(0, 12), whole().subarray(36)]), 'not-wav'],
    ['RF64', changed(bytes => bytes.write('RF64')), 'unsupported-format'],
    ['µ-law', changed(bytes => bytes.writeUInt16LE(7, 20)), 'unsupported-format'],
    ['8 bits', changed(bytes => bytes.writeUInt16LE(8, 34)), 'unsupported-format'],
    ['24 bits', changed(bytes => bytes.writeUInt16LE(24, 34)), 'unsupported-format'],
    ['no channel', changed(bytes => bytes.writeUInt16LE(0, 22)), 'unsupported-format'],
    ['3 channels', changed(bytes => bytes.writeUInt16LE(3, 22)), 'unsupported-format'],
    ['a wrong block size', changed(bytes => bytes.writeUInt16LE(4, 32)), 'unsupported-format'],
    ['rate 0', changed(bytes => bytes.writeUInt32LE(0, 24)), 'unsupported-format'],
    ['a short format chunk', changed(bytes => bytes.writeUInt32LE(14, 16)), 'unsupported-format'],
    ['a chunk that leads out of the file', changed(bytes => bytes.writeUInt32LE(0xFFFFFFF0, 16)), 'truncated-header'],
  ]
  for (const [name, bytes, fault] of cases) t.match(await readWav(bytes), { ok: false, fault, detail: String }, name)
})

t.test('a file that ends anywhere inside its header says so', async t => {
  for (let length = 1; length < WAV_HEADER_BYTES; length++) {
    t.match(await readWav(whole().subarray(0, length)), { ok: false, fault: 'truncated-header' }, `${length} bytes`)
  }
})

t.test('a missing file is a fault, any other trouble with it an error', async t => {
  const folder = await tempFolder(t)
  t.match(await readWavFile(join(folder, 'none.wav')), { ok: false, fault: 'missing' })
  await t.rejects(readWavFile(folder), { code: 'EISDIR' })
})

t.test('sizes end at 4 GiB', async t => {
  const folder = await tempFolder(t)
  const path = join(folder, 'huge.wav')
  await writeFile(path, unfinished(whole()))
  const file = await open(path, 'r+')
  t.teardown(() => file.close())
  await file.truncate(MAX_WAV_DATA_BYTES + WAV_HEADER_BYTES)
  t.match(await readWav(file), { ok: true, dataBytes: MAX_WAV_DATA_BYTES, samples: MAX_WAV_DATA_BYTES / 2 })
  await file.truncate(2 ** 32 + 100)
  t.match(await readWav(file), { ok: false, fault: 'too-large' })

  t.equal(wavHeader(stereo, MAX_WAV_DATA_BYTES).readUInt32LE(40), MAX_WAV_DATA_BYTES)
  t.throws(() => wavHeader(mono, MAX_WAV_DATA_BYTES + 2), RangeError)
})
