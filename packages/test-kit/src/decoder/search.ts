import { createFft } from './fft.ts'

const size = 8192
const transform = createFft(size)

export interface Match {
  /** Index in the reference that lines up with the window's first sample. */
  index: number
  /** Normalised correlation, -1 to 1. */
  correlation: number
}

/** Finds where in the reference two equally long windows fit best (two, because they cost no more than one). */
export type Search = (windows: [Float64Array, Float64Array]) => [Match, Match]

/** Prepares a search by FFT for windows of `length` samples (up to 4096) anywhere in the reference, overhanging its ends too. */
export function createSearch (reference: Float64Array, length: number): Search {
  const step = size - length
  const energy = new Float64Array(reference.length + 1)
  for (let i = 0; i < reference.length; i++) energy[i + 1] = energy[i]! + reference[i]! ** 2
  const energyFrom = (index: number) => energy[clamp(index + length)]! - energy[clamp(index)]!
  const clamp = (index: number) => Math.max(0, Math.min(reference.length, index))
  const fullEnergy = energy[reference.length]! / Math.max(1, reference.length) * length

  const blocks: { start: number, re: Float64Array, im: Float64Array }[] = []
  for (let start = -length + 1; start < reference.length; start += step) {
    const re = Float64Array.from({ length: size }, (_, i) => reference[start + i] ?? 0)
    const im = new Float64Array(size)
    transform(re, im)
    blocks.push({ start, re, im })
  }

  return ([first, second]) => {
    const best: [Match, Match] = [{ index: 0, correlation: 0 }, { index: 0, correlation: 0 }]
    const norms = [first, second].map(window => Math.sqrt(window.reduce((sum, x) => sum + x * x, 0)))
    const templateRe = new Float64Array(size)
    const templateIm = new Float64Array(size)
    templateRe.set(first)
    templateIm.set(second)
    transform(templateRe, templateIm)
    const re = new Float64Array(size)
    const im = new Float64Array(size)
    for (const block of blocks) {
      // reference × conj(first + i·second): the correlation with `first` comes out real, minus that with `second` imaginary.
      for (let i = 0; i < size; i++) {
        const a = block.re[i]!
        const b = block.im[i]!
        const c = templateRe[i]!
        const d = templateIm[i]!
        re[i] = a * c + b * d
        im[i] = b * c - a * d
      }
      transform(im, re)
      for (let offset = 0; offset <= step; offset++) {
        const index = block.start + offset
        // Windows that overhang the reference are compared as if it were full, or a sliver would look like a match.
        const norm = Math.sqrt(Math.max(energyFrom(index), fullEnergy / 4)) * size
        const one = re[offset]! / (norm * norms[0]!)
        const two = -im[offset]! / (norm * norms[1]!)
        if (one > best[0].correlation) best[0] = { index, correlation: one }
        if (two > best[1].correlation) best[1] = { index, correlation: two }
      }
    }
    return best
  }
}
