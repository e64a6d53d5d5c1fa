import { readFileSync } from 'node:fs'

/** Audio at 8 kHz, readable at any sample index. */
export interface AudioSource {
  name: string
  /** `count` samples from index `from` on; silence outside of what there is. */
  read: (from: number, count: number) => Int16Array
}

export const silence: AudioSource = { name: 'silence', read: (_from, count) => new Int16Array(count) }

/** Plays 8 kHz mono 16-bit audio, from samples or a WAV file, once (or round and round). */
export function pcmSource (audio: Int16Array | string, { name = typeof audio === 'string' ? audio : 'pcm', isLooped = false } = {}): AudioSource {
  const samples = typeof audio === 'string' ? readWavSamples(audio) : audio
  return {
    name,
    read: (from, count) => Int16Array.from({ length: count }, (_, i) => samples[isLooped ? (from + i) % samples.length : from + i] ?? 0),
  }
}

/** Samples of an 8 kHz mono 16-bit WAV file; a size of zero or beyond the end (a crashed writer) means up to the end. */
export function readWavSamples (file: string): Int16Array {
  const bytes = readFileSync(file)
  if (bytes.toString('latin1', 0, 4) !== 'RIFF') throw new Error(`${file} is no WAV file`)
  for (let at = 12; at + 8 <= bytes.length;) {
    const id = bytes.toString('latin1', at, at + 4)
    const size = bytes.readUInt32LE(at + 4)
    if (id === 'fmt ' && (bytes.readUInt16LE(at + 10) !== 1 || bytes.readUInt32LE(at + 12) !== 8000 || bytes.readUInt16LE(at + 22) !== 16)) {
      throw new Error(`${file} is not 8 kHz, mono, 16 bit`)
    }
    if (id === 'data') {
      const end = size === 0 ? bytes.length : Math.min(at + 8 + size, bytes.length)
      const data = bytes.subarray(at + 8, end - (end - at) % 2)
      return Int16Array.from({ length: data.length / 2 }, (_, i) => data.readInt16LE(i * 2))
    }
    at += 8 + size + size % 2
  }
  return new Int16Array(0)
}
