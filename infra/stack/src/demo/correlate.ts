import { createFft } from '@tacet/test-kit'

export type Match = { index: number, correlation: number }
export type Search = (window: Float64Array) => Match

/**
 * Prepares a search for where a window fits best in a stream; the correlation is normalised, 1 where they are the same.
 * Stretches quieter than `minPower` (a sample's mean square) count as that loud, so that next to nothing never looks like a match.
 */
export function createSearch (stream: Int16Array, { longestWindow, minPower }: { longestWindow: number, minPower: number }): Search {
  const size = 2 ** Math.ceil(Math.log2(stream.length + longestWindow))
  const fft = createFft(size)
  const streamRe = Float64Array.from({ length: size }, (_, i) => stream[i] ?? 0)
  const streamIm = new Float64Array(size)
  const energy = new Float64Array(stream.length + 1)
  for (let i = 0; i < stream.length; i++) energy[i + 1] = energy[i]! + stream[i]! ** 2
  fft(streamRe, streamIm)

  return (window) => {
    const re = new Float64Array(size)
    const im = new Float64Array(size)
    re.set(window)
    fft(re, im)
    for (let i = 0; i < size; i++) {
      const real = streamRe[i]! * re[i]! + streamIm[i]! * im[i]!
      im[i] = streamIm[i]! * re[i]! - streamRe[i]! * im[i]!
      re[i] = real
    }
    fft(im, re)
    const norm = Math.sqrt(window.reduce((sum, x) => sum + x * x, 0)) * size
    const best: Match = { index: 0, correlation: 0 }
    for (let index = 0; index < stream.length; index++) {
      const end = Math.min(stream.length, index + window.length)
      const power = Math.max(energy[end]! - energy[index]!, minPower * window.length)
      const correlation = re[index]! / (norm * Math.sqrt(power))
      if (correlation > best.correlation) Object.assign(best, { index, correlation })
    }
    return best
  }
}
