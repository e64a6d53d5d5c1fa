export interface BackoffOptions {
  firstMs?: number
  maxMs?: number
  /** Part of each delay that is random, 0 to 1. */
  jitter?: number
  random?: () => number
}

/** Endless delays in milliseconds: doubling up to `maxMs`, each shortened by a random part. */
export function * backoff ({ firstMs = 100, maxMs = 10_000, jitter = 0.5, random = Math.random }: BackoffOptions = {}): Generator<number, never> {
  for (let delayMs = firstMs; ; delayMs = Math.min(delayMs * 2, maxMs)) yield Math.round(delayMs * (1 - jitter * random()))
}
