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

  /** All of one pixel. */
  function addToPixel (pixel: number, samples: Int16Array): void {
    for (let first = 0; first < Math.min(samples.length, channels); first++) {
      const at = (pixel * channels + (seen + first) % channels) * 2
      const isNew = (seen + first) % perPixel < channels
      let least = isNew ? samples[first]! : data[at]!
      let most = isNew ? least : data[at + 1]!
      for (let i = first; i < samples.length; i += channels) {
        const sample = samples[i]!
        if (sample < least) least = sample
        else if (sample > most) most = sample
      }
      data[at] = least
      data[at + 1] = most
    }
  }

  return {
    add (samples) {
      for (let start = 0; start < samples.length;) {
        const pixel = Math.floor(seen / perPixel)
        const own = samples.subarray(start, start + (pixel + 1) * perPixel - seen)
        while ((pixel + 1) * channels * 2 > data.length) data = grown(data)
        addToPixel(pixel, own)
        start += own.length
        seen += own.length
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
