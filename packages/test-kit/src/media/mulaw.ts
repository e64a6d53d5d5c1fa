// G.711 µ-law, as Asterisk computes it.
const decodeTable = Int16Array.from({ length: 256 }, (_, byte) => {
  const code = ~byte & 0xff
  const magnitude = (((code & 0x0f) << 3) + 0x84) << ((code & 0x70) >> 4)
  return (code & 0x80) !== 0 ? 0x84 - magnitude : magnitude - 0x84
})

export const muLawSilence = 0xff

export function encodeMuLaw (samples: Int16Array): Buffer {
  const bytes = Buffer.allocUnsafe(samples.length)
  for (let i = 0; i < samples.length; i++) bytes[i] = encodeSample(samples[i] ?? 0)
  return bytes
}

export function decodeMuLaw (bytes: Uint8Array): Int16Array {
  return Int16Array.from(bytes, byte => decodeTable[byte] ?? 0)
}

function encodeSample (sample: number): number {
  const sign = sample < 0 ? 0x80 : 0
  const magnitude = Math.min(Math.abs(sample), 32635) + 0x84
  const exponent = 31 - Math.clz32(magnitude) - 7
  const mantissa = (magnitude >> (exponent + 3)) & 0x0f
  return ~(sign | (exponent << 4) | mantissa) & 0xff
}
