/** Of audio at each side of a join: too short to hear, long enough not to click. */
export const FADE_MS = 5
/** The marker of a gap: 1 kHz at -18 dBFS. */
export const TONE_MS = 200
const TONE_HZ = 1000
const TONE_AMPLITUDE = 32768 * 10 ** (-18 / 20)

/** The middle of sample `index` of a rise over `count` samples: half a cosine, so that neither end has an edge. */
const rise = (index: number, count: number): number => Math.sin((index + 0.5) / count * Math.PI / 2) ** 2

export type Fades = { samples: number, fadeInSamples: number, fadeOutSamples: number }

/** How much of an end is faded: less where there is hardly anything to fade. */
export const fadeSamples = (samples: number, sampleRateHz: number): number => Math.min(Math.round(FADE_MS * sampleRateHz / 1000), Math.floor(samples / 2))

/** Fades in place the samples [start, start + block) of a stretch of `samples`; all channels alike. Touches only what lies in a fade. */
export function applyFades (block: Int16Array, channels: number, start: number, { samples, fadeInSamples, fadeOutSamples }: Fades): void {
  const end = start + block.length / channels
  for (let i = start; i < Math.min(end, fadeInSamples); i++) scale(block, channels, i - start, rise(i, fadeInSamples))
  for (let i = Math.max(start, samples - fadeOutSamples); i < end; i++) scale(block, channels, i - start, rise(samples - 1 - i, fadeOutSamples))
}

function scale (block: Int16Array, channels: number, frame: number, gain: number): void {
  for (let i = frame * channels; i < (frame + 1) * channels; i++) block[i] = Math.round(block[i]! * gain)
}

/** The marker of a gap, in all channels. */
export function toneOf (samples: number, sampleRateHz: number, channels: number): Int16Array {
  const tone = new Int16Array(samples * channels)
  for (let i = 0; i < tone.length; i++) tone[i] = Math.round(TONE_AMPLITUDE * Math.sin(2 * Math.PI * TONE_HZ * Math.floor(i / channels) / sampleRateHz))
  const faded = fadeSamples(samples, sampleRateHz)
  applyFades(tone, channels, 0, { samples, fadeInSamples: faded, fadeOutSamples: faded })
  return tone
}

/** How loud each sample of a stretch is, compared with what was recorded: 1 but for the fades. */
export function gainsOf ({ samples, fadeInSamples, fadeOutSamples }: Fades): Float64Array {
  return Float64Array.from({ length: samples }, (_, i) =>
    i < fadeInSamples ? rise(i, fadeInSamples) : i >= samples - fadeOutSamples ? rise(samples - 1 - i, fadeOutSamples) : 1)
}
