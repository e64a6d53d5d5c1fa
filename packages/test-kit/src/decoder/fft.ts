/** Transforms `re` and `im` in place. The inverse is unscaled: swap the arguments, then divide by the size. */
export type Fft = (re: Float64Array, im: Float64Array) => void

/** An in-place FFT for arrays of `size`, a power of two: stages of radix 2, two of them in one go, for it is the memory that takes the time. */
export function createFft (size: number): Fft {
  const bits = Math.log2(size)
  const reversed = Uint32Array.from({ length: size }, (_, i) => {
    let r = 0
    for (let bit = 0; bit < bits; bit++) r |= ((i >> bit) & 1) << (bits - 1 - bit)
    return r
  })
  // Those of each pair of stages, one after the other as they are used.
  const stages: { half: number, cos: Float64Array, sin: Float64Array }[] = []
  for (let half = bits % 2 === 0 ? 1 : 2; half < size; half *= 4) {
    const angle = (k: number) => Math.PI * k / (2 * half)
    stages.push({ half, cos: Float64Array.from({ length: half }, (_, k) => Math.cos(angle(k))), sin: Float64Array.from({ length: half }, (_, k) => Math.sin(angle(k))) })
  }

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
    if (bits % 2 === 1) {
      for (let a = 0; a < size; a += 2) {
        const r = re[a + 1]!
        const m = im[a + 1]!
        re[a + 1] = re[a]! - r
        im[a + 1] = im[a]! - m
        re[a] = re[a]! + r
        im[a] = im[a]! + m
      }
    }
    for (const { half, cos, sin } of stages) {
      for (let start = 0; start < size; start += 4 * half) {
        for (let k = 0; k < half; k++) {
          const c1 = cos[k]!
          const s1 = sin[k]!
          const c2 = c1 * c1 - s1 * s1
          const s2 = 2 * c1 * s1
          const a = start + k
          const b = a + half
          const c = b + half
          const d = c + half
          const rb = re[b]! * c2 + im[b]! * s2
          const mb = im[b]! * c2 - re[b]! * s2
          const rd = re[d]! * c2 + im[d]! * s2
          const md = im[d]! * c2 - re[d]! * s2
          const ra1 = re[a]! + rb
          const ma1 = im[a]! + mb
          const rb1 = re[a]! - rb
          const mb1 = im[a]! - mb
          const rs = re[c]! + rd
          const ms = im[c]! + md
          const rt = re[c]! - rd
          const mt = im[c]! - md
          const rc1 = rs * c1 + ms * s1
          const mc1 = ms * c1 - rs * s1
          // A quarter of a turn further: times -i.
          const rd1 = mt * c1 - rt * s1
          const md1 = -rt * c1 - mt * s1
          re[a] = ra1 + rc1
          im[a] = ma1 + mc1
          re[c] = ra1 - rc1
          im[c] = ma1 - mc1
          re[b] = rb1 + rd1
          im[b] = mb1 + md1
          re[d] = rb1 - rd1
          im[d] = mb1 - md1
        }
      }
    }
  }
}
