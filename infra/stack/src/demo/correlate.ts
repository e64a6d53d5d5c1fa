import { createFft } from '@tacet/test-kit'

export type Match = { index: number, correlation: number }
/** For windows no longer than `longestWindow`. */
export type Search = (window: Float64Array) => Match

const size = 8192
const fft = createFft(size)

/**
 * Prepares a search for where a window fits best in a stream; the correlation is normalised, 1 where they are the same.
 * Stretches quieter than `minPower` (a sample's mean square) count as that loud, so that next to nothing never looks like a match.
 */
export function createSearch (stream: Int16Array, { longestWindow, minPower }: { longestWindow: number, minPower: number }): Search {
  const step = size - longestWindow
  const blocks = Array.from({ length: Math.ceil(stream.length / step) }, (_, block) => {
    const start = block * step
    const re = Float64Array.from({ length: size }, (_, i) => stream[start + i] ?? 0)
    const im = new Float64Array(size)
    fft(re, im)
    return { start, re, im }
  })
  const energy = new Float64Array(stream.length + 1)
  for (let i = 0; i < stream.length; i++) energy[i + 1] = energy[i]! + stream[i]! ** 2

  return (window) => {
    const windowRe = new Float64Array(size)
    const windowIm = new Float64Array(size)
    windowRe.set(window)
    fft(windowRe, windowIm)
    const norm = Math.sqrt(window.reduce((sum, x) => sum + x * x, 0)) * size
    const best: Match = { index: 0, correlation: 0 }
    for (const block of blocks) {
      const re = new Float64Array(size)
      const im = new Float64Array(size)
      for (let i = 0; i < size; i++) {
        re[i] = block.re[i]! * windowRe[i]! + block.im[i]! * windowIm[i]!
        im[i] = block.im[i]! * windowRe[i]! - block.re[i]! * windowIm[i]!
      }
      fft(im, re)
      for (let offset = 0; offset < step && block.start + offset < stream.length; offset++) {
        const index = block.start + offset
        const power = Math.max(energy[Math.min(stream.length, index + window.length)]! - energy[index]!, minPower * window.length)
        const correlation = re[offset]! / (norm * Math.sqrt(power))
        if (correlation > best.correlation) Object.assign(best, { index, correlation })
      }
    }
    return best
  }
}
