/** Transforms `re` and `im` in place. The inverse is unscaled: swap the arguments, then divide by the size. */
export type Fft = (re: Float64Array, im: Float64Array) => void

/** An in-place radix-2 FFT for arrays of `size`, a power of two. */
export function createFft (size: number): Fft {
  const cos = Float64Array.from({ length: size / 2 }, (_, i) => Math.cos(2 * Math.PI * i / size))
  const sin = Float64Array.from({ length: size / 2 }, (_, i) => Math.sin(2 * Math.PI * i / size))
  const bits = Math.log2(size)
  const reversed = Uint32Array.from({ length: size }, (_, i) => {
    let r = 0
    for (let bit = 0; bit < bits; bit++) r |= ((i >> bit) & 1) << (bits - 1 - bit)
    return r
  })

  return (re, im) => {
    for (let i = 0; i < size; i++) {
      const j = reversed[i]!
      if (j <= i) continue
      const r = re[i]!
      const m = im[i]!
      re[i] = re[j]!
      im[i] = im[j]!
      re[j] = r
      im[j] = m
    }
    for (let half = 1; half < size; half *= 2) {
      const stride = size / (2 * half)
      for (let start = 0; start < size; start += 2 * half) {
        for (let k = 0; k < half; k++) {
          const c = cos[k * stride]!
          const s = sin[k * stride]!
          const a = start + k
          const b = a + half
          const r = re[b]! * c + im[b]! * s
          const m = im[b]! * c - re[b]! * s
          re[b] = re[a]! - r
          im[b] = im[a]! - m
          re[a] = re[a]! + r
          im[a] = im[a]! + m
        }
      }
    }
  }
}
