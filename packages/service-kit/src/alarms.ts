import type { Logger } from './logging.ts'
import { counter, gauge, type Metrics } from './metrics.ts'

/** One part's view of something it can't do without. Several parts share an outage: it is over when none of them fails any more. */
export interface Outage {
  failed (error: unknown): void
  over (): void
}

export interface Alarms {
  /** Something that a person should look at, once: an error log with the field `alarm`, and a counter. */
  raise (alarm: string, facts?: Record<string, unknown>): void
  /** Something that may pass by itself: raised, once, when it lasts. */
  outage (alarm: string, afterMs?: number): Outage
}

/** A hiccup is nobody's business. */
export const outageAfterMs = 5_000

const alarmsOf = new WeakMap<Metrics, Alarms>()

/** The alarms of a service, made when first asked for; `afterMs` is how long an outage must last. */
export function createAlarms ({ metrics, logger, afterMs: usualMs = outageAfterMs }: { metrics: Metrics, logger: Logger, afterMs?: number }): Alarms {
  const existing = alarmsOf.get(metrics)
  if (existing) return existing
  const total = counter(metrics, 'tacet_alarms_total', 'Alarms raised: things that a person should look at', ['alarm'])
  const active = gauge(metrics, 'tacet_alarm_active', '1 while an outage that was raised as an alarm lasts', ['alarm'])
  const sharedOf = new Map<string, ReturnType<typeof createShared>>()

  function raise (alarm: string, facts: Record<string, unknown> = {}): void {
    total.inc({ alarm })
    logger.error({ ...facts, alarm }, 'somebody should look')
  }

  function createShared (alarm: string) {
    const failing = new Map<object, unknown>()
    let sinceMs = 0
    let isRaised = false
    let timer: NodeJS.Timeout | undefined

    function tell (): void {
      isRaised = true
      active.set({ alarm }, 1)
      raise(alarm, { err: [...failing.values()].at(-1), forMs: Date.now() - sinceMs })
    }

    return {
      failed (source: object, error: unknown, afterMs: number): void {
        if (failing.size === 0) sinceMs = Date.now()
        failing.set(source, error)
        if (isRaised) return
        if (afterMs === 0) tell()
        else timer ??= setTimeout(tell, afterMs).unref()
      },
      over (source: object): void {
        if (!failing.delete(source) || failing.size > 0) return
        clearTimeout(timer)
        timer = undefined
        if (!isRaised) return
        isRaised = false
        active.set({ alarm }, 0)
        logger.info({ alarm, forMs: Date.now() - sinceMs }, 'alarm over')
      },
    }
  }

  const alarms: Alarms = {
    raise,
    outage (alarm, afterMs = usualMs) {
      const shared = sharedOf.get(alarm) ?? createShared(alarm)
      sharedOf.set(alarm, shared)
      const source = {}
      return { failed: error => shared.failed(source, error, afterMs), over: () => shared.over(source) }
    },
  }
  alarmsOf.set(metrics, alarms)
  return alarms
}
