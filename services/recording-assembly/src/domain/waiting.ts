/** How long a job waits for something that is away until a person hears of it, and until they hear of it again. */
const FIRST_ALARM_MS = 5 * 60_000
const NEXT_ALARM_MS = 60 * 60_000

export interface RetryDelays { firstMs: number, maxMs: number }

/** Each is shortened by up to a half, so that not all that waits comes back at once. */
const MEAN_SHARE = 0.75

function waitedMs (postponements: number, { firstMs, maxMs }: RetryDelays): number {
  let waitedMs = 0
  for (let n = 0, delayMs = firstMs; n < postponements; n++, delayMs = Math.min(delayMs * 2, maxMs)) waitedMs += delayMs * MEAN_SHARE
  return waitedMs
}

/** By its postponements, which are kept with the job: who restarts neither forgets an alarm nor tells it with each attempt. */
export function isAlarmDue (postponements: number, delays: RetryDelays): boolean {
  const alarmsAfter = (count: number): number => Math.max(0, 1 + Math.floor((waitedMs(count, delays) - FIRST_ALARM_MS) / NEXT_ALARM_MS))
  return alarmsAfter(postponements) > alarmsAfter(postponements - 1)
}
