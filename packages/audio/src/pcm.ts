const MULAW_BIAS = 0x84
const MULAW_CLIP = 32635

/** Root mean square of samples [start, end), in units of a 16 bit sample; 0 for an empty range. */
export function rms (samples: Int16Array, start = 0, end = samples.length): number {
  const from = Math.max(0, start)
  const to = Math.min(samples.length, end)
  let sum = 0
  for (let i = from; i < to; i++) sum += samples[i]! ** 2
  return to > from ? Math.sqrt(sum / (to - from)) : 0
}

/** Whether [start, end) holds no more than noise. The default threshold, 1 % of full scale at rms (-40 dB), is below quiet speech. */
export function isSilent (samples: Int16Array, start = 0, end = samples.length, thresholdRms = 328): boolean {
  return rms(samples, start, end) <= thresholdRms
}

/** The stretches of at least `minSamples` in which every window of `windowSamples` is silent. A last window that is cut off counts too. */
export function findSilences (samples: Int16Array, { minSamples, windowSamples = 160, thresholdRms = 328 }: { minSamples: number, windowSamples?: number, thresholdRms?: number }): { start: number, end: number }[] {
  const silences: { start: number, end: number }[] = []
  for (let start = 0; start < samples.length; start += windowSamples) {
    const end = Math.min(start + windowSamples, samples.length)
    if (!isSilent(samples, start, end, thresholdRms)) continue
    const last = silences.at(-1)
    if (last?.end === start) last.end = end
    else silences.push({ start, end })
  }
  return silences.filter(({ start, end }) => end - start >= minSamples)
}

/** G.711 µ-law, one byte per sample. */
export function encodeMulaw (samples: Int16Array): Uint8Array {
  return Uint8Array.from(samples, encodeMulawSample)
}

export function decodeMulaw (bytes: Uint8Array): Int16Array {
  return Int16Array.from(bytes, byte => MULAW_TABLE[byte]!)
}

function encodeMulawSample (sample: number): number {
  const sign = sample < 0 ? 0x80 : 0
  const magnitude = Math.min(Math.abs(sample), MULAW_CLIP) + MULAW_BIAS
  const exponent = 24 - Math.clz32(magnitude)
  const mantissa = (magnitude >> (exponent + 3)) & 0x0F
  return ~(sign | (exponent << 4) | mantissa) & 0xFF
}

function decodeMulawByte (byte: number): number {
  const bits = ~byte & 0xFF
  const magnitude = (((bits & 0x0F) << 3) + MULAW_BIAS << ((bits & 0x70) >> 4)) - MULAW_BIAS
  return bits & 0x80 ? -magnitude : magnitude
}

const MULAW_TABLE = Int16Array.from({ length: 256 }, (_, byte) => decodeMulawByte(byte))
