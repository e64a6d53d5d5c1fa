export type LengthCheck = { verdict: 'ok' | 'short' | 'long', differenceMs: number }
export type LengthTolerance = { shortMs: number, longMs: number }

export type LengthCheckInput = {
  /** Per channel; 0 for a segment without a file, which Asterisk leaves when a stop follows right after the start. */
  samples: number
  sampleRateHz: number
  /** When the start was requested. */
  openedAtMs: number
  /** When it was proven closed. */
  closedAtMs: number
  /** One number counts both ways. */
  toleranceMs: number | LengthTolerance
}

/** Compares a segment's audio with the time it was open. `differenceMs` < 0: audio is missing; > 0: there is more than there can be. */
export function checkLength (input: LengthCheckInput): LengthCheck {
  const { samples, sampleRateHz, openedAtMs, closedAtMs, toleranceMs } = input
  const { shortMs, longMs } = typeof toleranceMs === 'number' ? { shortMs: toleranceMs, longMs: toleranceMs } : toleranceMs
  const differenceMs = samples / sampleRateHz * 1000 - (closedAtMs - openedAtMs)
  if (differenceMs < -shortMs) return { verdict: 'short', differenceMs }
  if (differenceMs > longMs) return { verdict: 'long', differenceMs }
  return { verdict: 'ok', differenceMs }
}

// Measured on Asterisk 22.10.
const LOST_AT_START_MS = 40
const LOST_AT_END_MS = 46
// 75 ms with a hundred pauses at once; 120 ms seen where twenty processes waited for two processors.
const PROOF_UNDER_LOAD_MS = 140
const PACKET_MS = 20
const WRITE_BUFFER_BYTES = 32 * 1024

// Not measured: what two ordinary hosts' clocks may disagree by.
const CLOCK_DRIFT = 100e-6

/**
 * What a healthy segment may differ by. Too long is judged strictly, as it could be audio from a pause.
 * A crashed recorder (repair `unfinished-header`) lost up to its write buffer: 2.05 s at 8 kHz mono.
 */
export function lengthTolerance (segment: { openMs: number, hasCrashed?: boolean, sampleRateHz: number, channels?: 1 | 2 }): LengthTolerance {
  const driftMs = Math.max(0, segment.openMs) * CLOCK_DRIFT
  const bufferMs = WRITE_BUFFER_BYTES / (segment.sampleRateHz * 2 * (segment.channels ?? 1)) * 1000
  return {
    shortMs: LOST_AT_START_MS + LOST_AT_END_MS + PROOF_UNDER_LOAD_MS + PACKET_MS + driftMs + (segment.hasCrashed ? bufferMs : 0),
    longMs: 2 * PACKET_MS + driftMs,
  }
}
