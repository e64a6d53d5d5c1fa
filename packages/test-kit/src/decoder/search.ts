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
  const scale = scales(reference, length)

  const blocks: { start: number, re: Float64Array, im: Float64Array }[] = []
  for (let start = -length + 1; start < reference.length; start += step) {
    const re = new Float64Array(size)
    const im = new Float64Array(size)
    re.set(reference.subarray(Math.max(0, start), start + size), Math.max(0, -start))
    transform(re, im)
    blocks.push({ start, re, im })
  }
  const templateRe = new Float64Array(size)
  const templateIm = new Float64Array(size)
  const re = new Float64Array(size)
  const im = new Float64Array(size)

  return ([first, second]) => {
    templateRe.fill(0).set(first)
    templateIm.fill(0).set(second)
    transform(templateRe, templateIm)
    // Of the greatest correlations so far, in units of `scale`.
    let [most, mostOfSecond] = [0, 0]
    let [at, atOfSecond] = [0, 0]
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
      const end = Math.min(step + 1, scale.length - block.start - length + 1)
      for (let offset = 0; offset < end; offset++) {
        const index = block.start + offset
        const by = scale[index + length - 1]!
        const one = re[offset]! * by
        const two = -im[offset]! * by
        if (one > most) {
          most = one
          at = index
        }
        if (two > mostOfSecond) {
          mostOfSecond = two
          atOfSecond = index
        }
      }
    }
    return [{ index: at, correlation: most / normOf(first) }, { index: atOfSecond, correlation: mostOfSecond / normOf(second) }]
  }
}

const normOf = (samples: Float64Array): number => Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0)) || 1

/** What a product with the reference is to be multiplied by, for each index that a window of this length can have, the first of which is -length + 1. */
function scales (reference: Float64Array, length: number): Float64Array {
  const energy = new Float64Array(reference.length + 1)
  for (let i = 0; i < reference.length; i++) energy[i + 1] = energy[i]! + reference[i]! ** 2
  // Windows that overhang the reference are compared as if it were full, or a sliver would look like a match.
  const least = energy[reference.length]! / Math.max(1, reference.length) * length / 4
  return Float64Array.from({ length: reference.length + length - 1 }, (_, i) => {
    const [from, to] = [Math.max(0, i - length + 1), Math.min(reference.length, i + 1)]
    return 1 / (Math.sqrt(Math.max(energy[to]! - energy[from]!, least)) * size)
  })
}
