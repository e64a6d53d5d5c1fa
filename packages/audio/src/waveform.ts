/** Extremes of `samplesPerPixel` samples each: minimum and maximum of each channel, pixel after pixel, as audiowaveform has them. */
export type Waveform = { channels: number, samplesPerPixel: number, data: Int16Array }

export type WaveformBuilder = {
  /** Interleaved samples, as they come. */
  add (samples: Int16Array): void
  /** A last pixel of fewer samples counts. */
  finish (): Waveform
}

/** Memory: 4 bytes for each pixel of each channel. */
export function createWaveform ({ channels, samplesPerPixel }: { channels: number, samplesPerPixel: number }): WaveformBuilder {
  let data = new Int16Array(4096)
  const perPixel = samplesPerPixel * channels
  let seen = 0

  return {
    add (samples) {
      for (let i = 0; i < samples.length; i++) {
        const at = (Math.floor(seen / perPixel) * channels + seen % channels) * 2
        if (at + 2 > data.length) data = grown(data)
        const sample = samples[i]!
        if (seen % perPixel < channels) data[at] = data[at + 1] = sample
        else if (sample < data[at]!) data[at] = sample
        else if (sample > data[at + 1]!) data[at + 1] = sample
        seen++
      }
    },
    finish: () => ({ channels, samplesPerPixel, data: data.slice(0, Math.ceil(seen / perPixel) * channels * 2) }),
  }
}

function grown (data: Int16Array): Int16Array<ArrayBuffer> {
  const larger = new Int16Array(data.length * 2)
  larger.set(data)
  return larger
}

/** The same with so many pixels in one. */
export function coarser ({ channels, samplesPerPixel, data }: Waveform, factor: number): Waveform {
  const width = channels * 2
  const pixels = data.length / width
  const merged = new Int16Array(Math.ceil(pixels / factor) * width)
  for (let pixel = 0; pixel < pixels; pixel++) {
    const to = Math.floor(pixel / factor) * width
    for (let i = 0; i < width; i++) {
      const value = data[pixel * width + i]!
      const kept = merged[to + i]!
      merged[to + i] = pixel % factor === 0 ? value : i % 2 === 0 ? Math.min(kept, value) : Math.max(kept, value)
    }
  }
  return { channels, samplesPerPixel: samplesPerPixel * factor, data: merged }
}
