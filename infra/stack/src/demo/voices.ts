import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSignal, readWavSamples } from '@tacet/test-kit'
import type { AudioSource } from '@tacet/test-kit'
import { run } from '../system/process.ts'
import type { Line, Speaker } from './script.ts'

const samplesPerMs = 8
const peak = 24_000
/** -46 dBFS: beside the speech a telephone line's hiss, for the decoder a signature of every sample. */
const hissGain = 10 ** ((-46 + 15) / 20)
const voices: Record<Speaker, { name: string, wordsPerMinute: number, pitch: number }> = {
  agent: { name: 'en-gb+f2', wordsPerMinute: 175, pitch: 55 },
  customer: { name: 'en-us+m3', wordsPerMinute: 170, pitch: 40 },
}

/** What a party's phone sends: an utterance, or only the hiss of somebody who listens. */
export type Utterance = { source: AudioSource, durationMs: number }

/** Speech over hiss: each stretch of it is unlike any other, silent ones too. */
export function speechSource (name: string, speech: Int16Array, seed: number): AudioSource {
  const hiss = createSignal({ seed })
  return {
    name,
    read: (from, count) => hiss.read(from, count).map((sample, index) => Math.round(sample * hissGain) + (speech[from + index] ?? 0)),
  }
}

/** The utterances of a script, spoken by espeak-ng where that is installed, else as a row of tones, one per word. */
export async function speak (lines: readonly Line[], signal: AbortSignal): Promise<Map<Line, Utterance>> {
  const dir = await mkdtemp(join(tmpdir(), 'tacet-voices-'))
  try {
    const spoken = await Promise.all(lines.map((line, index) => synthesise(line, join(dir, `${index}`), signal).catch(() => undefined)))
    signal.throwIfAborted()
    return new Map(lines.map((line, index) => {
      const samples = trim(normalise(spoken[index] ?? tones(line.text)))
      return [line, { source: speechSource(line.name, samples, 1000 + index), durationMs: Math.ceil(samples.length / samplesPerMs) }]
    }))
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

async function synthesise ({ by, text }: Line, stem: string, signal: AbortSignal): Promise<Int16Array> {
  const { name, wordsPerMinute, pitch } = voices[by]
  await run('espeak-ng', ['-v', name, '-s', `${wordsPerMinute}`, '-p', `${pitch}`, '-w', `${stem}.wav`, text], { signal })
  await run('ffmpeg', ['-v', 'error', '-i', `${stem}.wav`, '-af', 'highpass=f=200,lowpass=f=3500', '-ar', '8000', '-ac', '1', '-c:a', 'pcm_s16le', `${stem}-8k.wav`], { signal })
  return readWavSamples(`${stem}-8k.wav`)
}

/** Where nobody can speak: a tone for each word, as long as the word, as high as its letters say. */
function tones (text: string): Int16Array {
  const words = text.split(' ').map((word) => {
    const frequency = 300 + [...word].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % 900
    const length = (120 + 45 * word.length) * samplesPerMs
    return Array.from({ length: length + 80 * samplesPerMs }, (_, i) =>
      i < length ? Math.sin(2 * Math.PI * frequency * i / 8000) * Math.sin(Math.PI * i / length) * peak : 0)
  })
  return Int16Array.from(words.flat())
}

function normalise (samples: Int16Array): Int16Array {
  const loudest = samples.reduce((max, sample) => Math.max(max, Math.abs(sample)), 1)
  return samples.map((sample) => Math.round(sample * peak / loudest))
}

/** Without the silence around it. */
function trim (samples: Int16Array): Int16Array {
  const isLoud = (sample: number): boolean => Math.abs(sample) > peak / 100
  return samples.slice(Math.max(0, samples.findIndex(isLoud)), samples.findLastIndex(isLoud) + 1)
}

/** A listener's hiss, new with each turn, so that no stretch of a call is like another. */
export const listen = (speaker: Speaker, turn: number): AudioSource =>
  speechSource(`${speaker} listens ${turn}`, new Int16Array(0), (speaker === 'agent' ? 2000 : 3000) + turn)
