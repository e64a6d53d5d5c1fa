import type { FileHandle } from 'node:fs/promises'
import { open } from 'node:fs/promises'
import { bytesSource, fileSource, walkChunks } from './riff.ts'
import type { ByteSource, RiffChunk } from './riff.ts'

export type WavFormat = { sampleRateHz: number, channels: 1 | 2, bitsPerSample: 16 }

/**
 * - `unfinished-header`: sizes were never written (the recorder crashed); the data reaches to the end of the file
 * - `data-cut-short`: the header promises more than the file holds
 * - `partial-sample`: bytes after the last whole sample were left out
 */
export type WavRepair = 'unfinished-header' | 'data-cut-short' | 'partial-sample'

/** `samples` counts per channel. `dataBytes` are whole samples that lie inside the file. */
export type Wav = {
  ok: true
  format: WavFormat
  dataOffset: number
  dataBytes: number
  samples: number
  repairs: WavRepair[]
}

export type WavFault = 'missing' | 'empty' | 'not-wav' | 'truncated-header' | 'unsupported-format' | 'too-large'
export type BadWav = { ok: false, fault: WavFault, detail: string }

export const WAV_HEADER_BYTES = 44
/** RIFF counts everything after its first 8 bytes in 32 bits; rounded down to whole stereo samples. */
export const MAX_WAV_DATA_BYTES = 0xFFFFFFFF - 39
const MAX_WAV_FILE_BYTES = 0xFFFFFFFF + 8

const MIN_FMT_BYTES = 16
const MAX_SAMPLE_RATE_HZ = 768_000
const FORMAT_PCM = 1
const FORMAT_EXTENSIBLE = 0xFFFE
const UNKNOWN_SIZE = 0xFFFFFFFF

/** Like `readWav`, by path; no file there is the fault `missing`. Other I/O errors are thrown as they come. */
export async function readWavFile (path: string): Promise<Wav | BadWav> {
  let file
  try {
    file = await open(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return bad('missing', 'there is no such file')
    throw error
  }
  try {
    return await readWav(file)
  } finally {
    await file.close()
  }
}

/** Reads and, where it is safe, repairs a WAV header. Any bytes give a typed answer; only I/O errors are thrown. */
export async function readWav (input: FileHandle | Uint8Array): Promise<Wav | BadWav> {
  return readWavFrom(input instanceof Uint8Array ? bytesSource(input) : await fileSource(input))
}

export async function readWavFrom (source: ByteSource): Promise<Wav | BadWav> {
  if (source.sizeBytes === 0) return bad('empty', 'the file has no bytes')
  if (source.sizeBytes > MAX_WAV_FILE_BYTES) return bad('too-large', `${source.sizeBytes} bytes are more than a WAV can hold`)
  const form = await source.read(0, 12)
  const fault = checkForm(form)
  if (fault) return fault

  let format: WavFormat | undefined
  for await (const chunk of walkChunks(source)) {
    if (chunk.id === 'fmt ' && !format) {
      const answer = await readFormat(source, chunk)
      if ('ok' in answer) return answer
      format = answer
    }
    if (chunk.id === 'data') {
      return format ? measureData(source.sizeBytes, form.readUInt32LE(4), format, chunk) : bad('not-wav', 'its data come before their format')
    }
  }
  return bad('truncated-header', `no data chunk in ${source.sizeBytes} bytes`)
}

function checkForm (form: Buffer): BadWav | undefined {
  const riff = form.toString('latin1', 0, 4)
  if (riff === 'RIFX' || riff === 'RF64') return bad('unsupported-format', `${riff} instead of RIFF`)
  if (!'RIFF'.startsWith(riff)) return bad('not-wav', 'it does not begin with RIFF')
  if (!'WAVE'.startsWith(form.toString('latin1', 8, 12))) return bad('not-wav', 'its RIFF form is not WAVE')
  return form.length < 12 ? bad('truncated-header', `the file ends after ${form.length} bytes`) : undefined
}

async function readFormat (source: ByteSource, chunk: RiffChunk): Promise<WavFormat | BadWav> {
  if (chunk.sizeBytes < MIN_FMT_BYTES) return bad('unsupported-format', `a format chunk of ${chunk.sizeBytes} bytes`)
  const wantedBytes = Math.min(chunk.sizeBytes, 40)
  const body = await source.read(chunk.bodyOffset, wantedBytes)
  if (body.length < wantedBytes) return bad('truncated-header', 'the file ends inside its format chunk')

  const tag = body.readUInt16LE(0)
  const codec = tag === FORMAT_EXTENSIBLE && body.length === 40 ? body.readUInt16LE(24) : tag
  const channels = body.readUInt16LE(2)
  const sampleRateHz = body.readUInt32LE(4)
  const blockBytes = body.readUInt16LE(12)
  const bitsPerSample = body.readUInt16LE(14)
  if (codec !== FORMAT_PCM) return bad('unsupported-format', `codec ${codec} instead of PCM`)
  if (bitsPerSample !== 16) return bad('unsupported-format', `${bitsPerSample} bits per sample`)
  if (channels !== 1 && channels !== 2) return bad('unsupported-format', `${channels} channels`)
  if (blockBytes !== channels * 2) return bad('unsupported-format', `${blockBytes} bytes for ${channels} channels of 16 bits`)
  if (sampleRateHz === 0 || sampleRateHz > MAX_SAMPLE_RATE_HZ) return bad('unsupported-format', `${sampleRateHz} samples per second`)
  return { sampleRateHz, channels, bitsPerSample }
}

function measureData (fileBytes: number, riffBytes: number, format: WavFormat, chunk: RiffChunk): Wav {
  const repairs: WavRepair[] = []
  const presentBytes = fileBytes - chunk.bodyOffset
  // Asterisk writes the sizes only when it closes the file. A 0 is real only if the RIFF size agrees with the file.
  const isUnfinished = chunk.sizeBytes === UNKNOWN_SIZE || (chunk.sizeBytes === 0 && riffBytes !== fileBytes - 8)
  let bytes = isUnfinished ? presentBytes : chunk.sizeBytes
  if (isUnfinished) repairs.push('unfinished-header')
  if (bytes > presentBytes) {
    repairs.push('data-cut-short')
    bytes = presentBytes
  }
  const sampleBytes = bytesPerSample(format)
  if (bytes % sampleBytes > 0) repairs.push('partial-sample')
  const samples = Math.floor(bytes / sampleBytes)
  return { ok: true, format, dataOffset: chunk.bodyOffset, dataBytes: samples * sampleBytes, samples, repairs }
}

/** Bytes of one sample of all channels. */
export function bytesPerSample (format: WavFormat): number {
  return format.channels * format.bitsPerSample / 8
}

/** The 44 bytes before the data. Throws a RangeError for more data than a WAV can hold. */
export function wavHeader (format: WavFormat, dataBytes: number): Buffer {
  if (dataBytes > MAX_WAV_DATA_BYTES) throw new RangeError(`${dataBytes} bytes are more than a WAV can hold`)
  const sampleBytes = bytesPerSample(format)
  const header = Buffer.alloc(WAV_HEADER_BYTES)
  header.write('RIFF', 0, 'latin1')
  header.writeUInt32LE(WAV_HEADER_BYTES - 8 + dataBytes, 4)
  header.write('WAVEfmt ', 8, 'latin1')
  header.writeUInt32LE(MIN_FMT_BYTES, 16)
  header.writeUInt16LE(FORMAT_PCM, 20)
  header.writeUInt16LE(format.channels, 22)
  header.writeUInt32LE(format.sampleRateHz, 24)
  header.writeUInt32LE(format.sampleRateHz * sampleBytes, 28)
  header.writeUInt16LE(sampleBytes, 32)
  header.writeUInt16LE(format.bitsPerSample, 34)
  header.write('data', 36, 'latin1')
  header.writeUInt32LE(dataBytes, 40)
  return header
}

/** A whole WAV of (interleaved) samples, in memory: for tests and short sounds. */
export function encodeWav (format: WavFormat, samples: Int16Array): Buffer {
  const data = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength)
  return Buffer.concat([wavHeader(format, data.length), data])
}

function bad (fault: WavFault, detail: string): BadWav {
  return { ok: false, fault, detail }
}
