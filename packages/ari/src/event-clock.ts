import { ariTimeMs } from './resources.ts'

/** Less than this is everyday life, and not worth to be told apart from now. */
const toleranceMs = 250
const windowMs = 60_000

/**
 * Says when an event happened, by our clock. Asterisk dates its events by its own, which may go wrong by any amount; but the
 * least delay seen lately is that difference, and what comes later than that was held up: mostly because this process slept.
 */
export function createEventClock (now: () => number) {
  let current = { sinceMs: -Infinity, leastMs: Infinity }
  let previous = current

  return (timestamp: string): number => {
    const nowMs = now()
    const delayMs = nowMs - ariTimeMs(timestamp)
    if (Number.isNaN(delayMs)) return nowMs
    // However long a sleep was, what was seen before it still counts.
    if (nowMs - current.sinceMs > windowMs) [previous, current] = [current, { sinceMs: nowMs, leastMs: Infinity }]
    current.leastMs = Math.min(current.leastMs, delayMs)
    const lateMs = delayMs - Math.min(current.leastMs, previous.leastMs)
    return lateMs > toleranceMs ? nowMs - lateMs : nowMs
  }
}
