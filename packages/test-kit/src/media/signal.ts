import type { AudioSource } from './sources.ts'

/**
 * Noise that never repeats and is known for every sample index: any 20 ms of it tell who spoke and when.
 * -15 dBFS; evenly distributed, so that two of them mixed never clip.
 */
export function createSignal ({ seed, name = `signal-${seed}` }: { seed: number, name?: string }): AudioSource {
  const amplitude = 32768 * 10 ** (-15 / 20) * Math.sqrt(3)
  const start = scramble(seed ^ 0x9e3779b9)
  const sample = (index: number) => Math.round((scramble(Math.imul(index, 0x85ebca6b) ^ start) / 2 ** 31 - 1) * amplitude)
  return { name, read: (from, count) => Int16Array.from({ length: count }, (_, i) => sample(from + i)) }
}

function scramble (value: number): number {
  let x = value | 0
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d)
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b)
  return (x ^ (x >>> 16)) >>> 0
}
